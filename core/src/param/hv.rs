//! Hypervisor parameters: what each hypervisor can be told, and which values it takes.

mod check;
mod kvm;
mod kvm_rules;
mod other;
mod xen;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::table::{self, Param};
use super::{Change, Filled, HypervisorKind, MigrationMode, TypeError};
use crate::config::ParamMap;

pub use check::{Check, HvError, NodeCheck};
pub use kvm_rules::SERIAL_SPEEDS;

/// Parameters that only the cluster can set, since both ends of a migration must agree (Ganeti: HVC_GLOBALS).
pub const CLUSTER_ONLY: &[&str] = &["migration_bandwidth", "migration_mode", "migration_port"];

/// A hypervisor parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HvParam {
    /// Name, type and default.
    pub param: Param,
    /// Whether the value must not be empty.
    pub required: bool,
    /// Which values are taken; an empty value of a parameter that is not required is not looked at.
    pub check: Check,
    /// What must exist on the node.
    pub on_node: Option<NodeCheck>,
}

impl HvParam {
    const fn new(param: Param) -> Self {
        Self { param, required: false, check: Check::Any, on_node: None }
    }

    const fn bool(name: &'static str, default: bool) -> Self {
        Self::new(Param::bool(name, default))
    }

    const fn int(name: &'static str, default: i64) -> Self {
        Self::new(Param::int(name, default))
    }

    const fn text(name: &'static str, default: &'static str) -> Self {
        Self::new(Param::text(name, default))
    }

    const fn maybe_text(name: &'static str, default: &'static str) -> Self {
        Self::new(Param::maybe_text(name, default))
    }

    /// An absolute path of something that must exist on the node.
    const fn path(name: &'static str, default: &'static str, on_node: NodeCheck) -> Self {
        let check = if matches!(on_node, NodeCheck::FileOrUrl) { Check::PathOrUrl } else { Check::Path };
        Self { param: Param::text(name, default), required: false, check, on_node: Some(on_node) }
    }

    const fn one_of(self, words: &'static [&'static str]) -> Self {
        self.check(Check::OneOf(words))
    }

    const fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Whether only the cluster can set it.
    #[must_use]
    pub fn cluster_only(&self) -> bool {
        CLUSTER_ONLY.contains(&self.param.name)
    }
}

/// The parameters of one hypervisor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HvParams(pub ParamMap);

/// All parameters of a hypervisor, sorted by name.
#[must_use]
pub fn table(kind: HypervisorKind) -> &'static [HvParam] {
    match kind {
        HypervisorKind::Chroot => other::CHROOT,
        HypervisorKind::Fake => other::FAKE,
        HypervisorKind::Kvm => kvm::TABLE,
        HypervisorKind::Lxc => other::LXC,
        HypervisorKind::XenHvm => xen::HVM,
        HypervisorKind::XenPvm => xen::PVM,
    }
}

/// The built-in defaults.
#[must_use]
pub fn defaults(kind: HypervisorKind) -> ParamMap {
    table(kind).iter().map(|param| (param.param.name.to_owned(), param.param.default.to_json())).collect()
}

/// Whether guests can be migrated.
#[must_use]
pub fn can_migrate(kind: HypervisorKind) -> bool {
    !matches!(kind, HypervisorKind::Chroot | HypervisorKind::Lxc)
}

/// Types of all parameters of any hypervisor: names are looked up before the hypervisor is (Ganeti: HVS_PARAMETER_TYPES).
fn any_table() -> Vec<Param> {
    let all: BTreeMap<&str, Param> =
        HypervisorKind::ALL.iter().flat_map(|kind| table(*kind)).map(|param| (param.param.name, param.param)).collect();
    all.into_values().collect()
}

/// Checks names and types of values; a name that another hypervisor has passes here and fails in [`check`].
///
/// # Errors
/// No hypervisor has such a parameter, or a value is of another type.
pub fn check_names_and_types<'a>(values: impl IntoIterator<Item = (&'a String, &'a Value)>) -> Result<ParamMap, TypeError> {
    table::check_names_and_types(&any_table(), values)
}

/// The same for a modification, in which `default` means [`Change::Inherit`].
///
/// # Errors
/// No hypervisor has such a parameter, or a value is of another type.
pub fn check_changes<'a>(values: impl IntoIterator<Item = (&'a String, &'a Value)>) -> Result<BTreeMap<String, Change>, TypeError> {
    table::check_changes(&any_table(), values)
}

/// Checks that an instance sets no cluster-only parameter (Ganeti: CheckParamsNotGlobal).
///
/// # Errors
/// It sets some.
pub fn check_not_cluster_only<'a>(names: impl IntoIterator<Item = &'a String>) -> Result<(), HvError> {
    let found: Vec<&str> = names.into_iter().map(String::as_str).filter(|name| CLUSTER_ONLY.contains(name)).collect();
    if found.is_empty() { Ok(()) } else { Err(HvError::ClusterOnly(found.join(", "))) }
}

/// Checks filled values, each one and together (Ganeti: CheckParameterSyntax). Nodes are not asked.
///
/// # Errors
/// A parameter is unknown, missing, or has a value the hypervisor does not take.
pub fn check(kind: HypervisorKind, values: &ParamMap) -> Result<(), HvError> {
    let params = table(kind);
    if let Some(name) = values.keys().find(|name| !params.iter().any(|param| param.param.name == *name)) {
        return Err(HvError::Unsupported(name.clone()));
    }
    for param in params {
        let name = param.param.name;
        let value = values.get(name).ok_or(HvError::Missing(name))?;
        if value.is_null() || value == "" {
            if param.required {
                return Err(HvError::Empty(name));
            }
            continue;
        }
        if !param.check.accepts(value) {
            return Err(HvError::Syntax { name, what: param.check.message(), value: table::shown(value) });
        }
    }
    if kind == HypervisorKind::Kvm { kvm_rules::check(values) } else { Ok(()) }
}

impl HvParams {
    /// A parameter that is true or false; false when the hypervisor has no such parameter.
    #[must_use]
    pub fn bool(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    /// A number; zero when the hypervisor has no such parameter.
    #[must_use]
    pub fn int(&self, name: &str) -> i64 {
        self.0.get(name).and_then(Value::as_i64).unwrap_or(0)
    }

    /// A text; empty when it is null or the hypervisor has no such parameter.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Filled<HvParams> {
    /// How guests are migrated when nobody says.
    #[must_use]
    pub fn migration_mode(&self) -> MigrationMode {
        self.text("migration_mode").parse().unwrap_or(MigrationMode::NonLive)
    }

    /// TCP port on which a migrating guest is received.
    #[must_use]
    pub fn migration_port(&self) -> u16 {
        self.int("migration_port").try_into().unwrap_or(0)
    }

    /// Kernel on the node; `None` when the guest boots itself.
    #[must_use]
    pub fn kernel_path(&self) -> Option<&str> {
        Some(self.text("kernel_path")).filter(|path| !path.is_empty())
    }

    /// Initial RAM disk on the node.
    #[must_use]
    pub fn initrd_path(&self) -> Option<&str> {
        Some(self.text("initrd_path")).filter(|path| !path.is_empty())
    }

    /// Whether there is a serial console.
    #[must_use]
    pub fn serial_console(&self) -> bool {
        self.bool("serial_console")
    }

    /// Where VNC listens: an address, an interface or a directory.
    #[must_use]
    pub fn vnc_bind_address(&self) -> Option<&str> {
        Some(self.text("vnc_bind_address")).filter(|address| !address.is_empty())
    }

    /// Where SPICE listens: an address or an interface.
    #[must_use]
    pub fn spice_bind(&self) -> Option<&str> {
        Some(self.text("spice_bind")).filter(|address| !address.is_empty())
    }

    /// What happens when the guest reboots: true when it is left stopped.
    #[must_use]
    pub fn exits_on_reboot(&self) -> bool {
        self.text("reboot_behavior") == "exit"
    }

    /// Whether a shutdown from inside the guest is noticed.
    #[must_use]
    pub fn user_shutdown(&self) -> bool {
        self.bool("user_shutdown")
    }

    /// Bus of the disks.
    #[must_use]
    pub fn disk_type(&self) -> &str {
        self.text("disk_type")
    }

    /// Model of the NICs.
    #[must_use]
    pub fn nic_type(&self) -> &str {
        self.text("nic_type")
    }

    /// CPUs of the node the guest may use, see [`super::parse_multi_cpu_mask`].
    #[must_use]
    pub fn cpu_mask(&self) -> &str {
        self.text("cpu_mask")
    }
}

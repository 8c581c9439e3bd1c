//! What is asked for, read and brought into the form of the configuration, before it has a node. Pure.

use std::collections::BTreeMap;

use gannet_core::auto_failover::{self, Bearer};
use gannet_core::config::{AdminState, AdminStateSource, Config, Instance, Stamps};
use gannet_core::id::InstanceUuid;
use gannet_core::name::InstanceName;
use gannet_core::opcode::{InstanceCreate, InstanceCreateMode};
use gannet_core::param::{DiskTemplate, HypervisorKind};
use gannet_core::quantity::Timestamp;
use gannet_core::tag::{MAX_TAGS_PER_OBJECT, Tag, TagSet};

use super::disks::{self, DiskWish};
use super::{nics, params};
use crate::refusal::Refusal;
use crate::rule::settings;

/// An instance without nodes, addresses and disks of its own.
#[derive(Debug, Clone)]
pub(in crate::opcode::instance) struct Draft {
    /// Not started, without disks; its primary node is empty, and so are MAC addresses that are to be made.
    pub(in crate::opcode::instance) instance: Instance,
    pub(in crate::opcode::instance) template: DiskTemplate,
    pub(in crate::opcode::instance) disks: Vec<DiskWish>,
    pub(super) hypervisor: HypervisorKind,
    /// OS parameters that are not stored.
    pub(super) secrets: BTreeMap<String, String>,
    pub(in crate::opcode::instance) start: bool,
    pub(super) install: bool,
    pub(super) warnings: Vec<String>,
}

/// Reads the request. `address` is that of the instance's name, if it was looked up.
///
/// # Errors
/// What is wrong with it, or not available yet, in Ganeti's words where it has some.
pub(in crate::opcode::instance) fn draft(
    config: &Config,
    op: &InstanceCreate,
    address: Option<&str>,
    now: Timestamp,
) -> Result<Draft, Refusal> {
    refuse_not_built(op)?;
    let name: InstanceName =
        op.instance_name.parse().map_err(|error: gannet_core::name::InvalidName| Refusal::invalid(error.to_string()))?;
    let cluster = config.cluster();
    let template = template(config, op)?;
    let hypervisor = hypervisor(config, op)?;
    let os = op.os_type.clone().ok_or_else(|| Refusal::invalid("No guest OS specified"))?;
    if cluster.blacklisted_os.contains(&os) {
        return Err(Refusal::invalid(format!("Guest OS '{os}' is not allowed for installation")));
    }
    let mut warnings = Vec::new();
    let no_install = op.no_install == Some(true);
    if no_install && op.start {
        warnings.push("No-installation mode selected, disabling startup".to_owned());
    }
    if op.snode.is_some() || op.snode_uuid.is_some() {
        // The templates that have a second node are refused above.
        warnings.push("Secondary node will be ignored on non-mirrored disk template".to_owned());
    }
    let os_params = params::os(op)?;
    let instance = Instance {
        name,
        primary_node: "".into(),
        hypervisor: hypervisor.as_str().to_owned(),
        hvparams: params::hv(config, op, hypervisor, &os)?,
        beparams: params::be(config, op)?,
        osparams: os_params.public,
        osparams_private: os_params.private,
        os,
        admin_state: AdminState::Down,
        admin_state_source: AdminStateSource::Admin,
        nics: nics::read(config, op, address)?,
        disks: Vec::new(),
        disks_active: false,
        network_port: None,
        forthcoming: false,
        stamps: Stamps::new(now),
        uuid: InstanceUuid::random(),
        tags: tags(op)?,
    };
    Ok(Draft {
        instance,
        template,
        disks: disks::read(op, template)?,
        hypervisor,
        secrets: os_params.secret,
        start: op.start && !no_install,
        install: !no_install,
        warnings,
    })
}

/// Refuses what a later version will have, and what means nothing when an instance is made from its OS.
fn refuse_not_built(op: &InstanceCreate) -> Result<(), Refusal> {
    let not_yet = |what: &str| Err(Refusal::invalid(format!("{what} not available in this version of Gannet yet (see docs/status.md)")));
    match op.mode {
        InstanceCreateMode::Create => {}
        InstanceCreateMode::Import => return not_yet("Importing an instance from an export is"),
        InstanceCreateMode::RemoteImport => return not_yet("Importing an instance from another cluster is"),
    }
    if op.forthcoming || op.commit {
        return not_yet("Forthcoming instances are");
    }
    if op.instance_communication {
        return not_yet("Instance communication is");
    }
    if op.helper_startup_timeout.is_some() || op.helper_shutdown_timeout.is_some() {
        return not_yet("Helper virtual machines (helper_startup_timeout, helper_shutdown_timeout) are");
    }
    let foreign = [
        ("src_node", op.src_node.is_some() || op.src_node_uuid.is_some()),
        ("src_path", op.src_path.is_some()),
        ("source_handshake", op.source_handshake.is_some()),
        ("source_instance_name", op.source_instance_name.is_some()),
        ("source_x509_ca", op.source_x509_ca.is_some()),
    ];
    match foreign.iter().find(|(_, given)| *given) {
        Some((parameter, _)) => Err(Refusal::invalid(format!("Parameter '{parameter}' is only for imports, not for the mode 'create'"))),
        None => Ok(()),
    }
}

fn template(config: &Config, op: &InstanceCreate) -> Result<DiskTemplate, Refusal> {
    let template = op.disk_template.ok_or_else(|| Refusal::invalid("No disk template specified"))?;
    if !settings::BUILT_TEMPLATES.contains(&template) {
        return Err(Refusal::invalid(format!(
            "Disk template '{template}' is not available in this version of Gannet yet (see docs/status.md)"
        )));
    }
    let enabled = &config.cluster().enabled_disk_templates;
    if enabled.iter().any(|word| word == template.as_str()) {
        return Ok(template);
    }
    Err(Refusal::invalid(format!(
        "Disk template '{template}' is not enabled in cluster. Enabled disk templates are: {}",
        enabled.join(",")
    )))
}

fn hypervisor(config: &Config, op: &InstanceCreate) -> Result<HypervisorKind, Refusal> {
    let enabled = &config.cluster().enabled_hypervisors;
    let chosen = match op.hypervisor {
        Some(kind) => kind.as_str(),
        // Ganeti: the first enabled one is the default.
        None => enabled.first().map(String::as_str).unwrap_or_default(),
    };
    match chosen.parse() {
        Ok(kind) if enabled.iter().any(|word| word == chosen) => Ok(kind),
        _ => Err(Refusal::state(format!("Selected hypervisor ({chosen}) not enabled in the cluster ({})", enabled.join(",")))),
    }
}

fn tags(op: &InstanceCreate) -> Result<TagSet, Refusal> {
    let tags = op.tags.iter().map(|text| text.parse::<Tag>().map_err(|error| Refusal::invalid(format!("{error}: '{text}'"))));
    let tags: TagSet = tags.collect::<Result<_, _>>()?;
    if tags.len() > MAX_TAGS_PER_OBJECT {
        return Err(Refusal::invalid(format!("Too many tags: an object can have {MAX_TAGS_PER_OBJECT}")));
    }
    auto_failover::check(Bearer::Instance, &tags).map_err(Refusal::invalid)?;
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use gannet_core::opcode::{DiskParamsRequest, DiskValue, NicParam, NicParamsRequest};
    use serde_json::json;

    use super::*;
    use crate::rule::sample;

    fn op() -> InstanceCreate {
        InstanceCreate {
            os_type: Some("debian+mini".to_owned()),
            disk_template: Some(DiskTemplate::File),
            pnode: Some("node1".to_owned()),
            ..InstanceCreate::new(
                "web9.example.com",
                vec![DiskParamsRequest::of_size(1024)],
                InstanceCreateMode::Create,
                vec![NicParamsRequest::default()],
            )
        }
    }

    fn read(change: impl FnOnce(&mut InstanceCreate)) -> Result<Draft, String> {
        let mut op = op();
        change(&mut op);
        draft(&sample::config(), &op, None, Timestamp(0)).map_err(|refusal| refusal.message)
    }

    #[track_caller]
    fn refused(change: impl FnOnce(&mut InstanceCreate), expected: &str) {
        let found = read(change).expect_err("it is wrong");
        assert!(found.contains(expected), "{found}");
    }

    #[test]
    fn a_plain_request_is_read() {
        let draft = read(|_| {}).unwrap();
        assert_eq!(draft.instance.hypervisor, "fake");
        assert_eq!(draft.instance.admin_state, AdminState::Down);
        assert_eq!((draft.start, draft.install, draft.disks.len()), (true, true, 1));
        assert!(draft.warnings.is_empty());
        let quiet = read(|op| op.no_install = Some(true)).unwrap();
        assert_eq!((quiet.start, quiet.install, quiet.warnings.len()), (false, false, 1));
    }

    #[test]
    fn what_is_wrong_is_said_in_ganetis_words() {
        refused(|op| op.os_type = None, "No guest OS specified");
        refused(|op| op.os_type = Some("old".to_owned()), "Guest OS 'old' is not allowed for installation");
        refused(|op| op.disk_template = None, "No disk template specified");
        refused(|op| op.disk_template = Some(DiskTemplate::Drbd), "Disk template 'drbd' is not available");
        refused(|op| op.hypervisor = Some(HypervisorKind::Lxc), "Selected hypervisor (lxc) not enabled in the cluster (fake,kvm)");
        refused(|op| op.mode = InstanceCreateMode::Import, "not available");
        refused(|op| op.forthcoming = true, "not available");
        refused(|op| op.src_path = Some("/x".to_owned()), "only for imports");
        refused(|op| op.tags = vec!["a b".to_owned()], "invalid characters");
        refused(|op| op.tags = vec!["gannet:auto-failover:on".to_owned()], "means nothing");
        refused(|op| op.instance_name = "a b".to_owned(), "Invalid hostname");
        refused(|op| op.disks = Vec::new(), "needs at least one disk");
        refused(|op| op.disk_template = Some(DiskTemplate::Diskless), "takes no disks");
        refused(|op| op.disks = vec![DiskParamsRequest::default()], "Missing disk size");
        refused(|op| op.disks = vec![DiskParamsRequest::of_size(0)], "Invalid disk size");
        let with = |name: &str, value: &str| DiskParamsRequest::of_size(64).with(name, DiskValue::Text(value.to_owned()));
        refused(|op| op.disks = vec![with("mode", "x")], "Invalid disk access mode 'x'");
        refused(|op| op.disks = vec![with("format", "vmdk")], "Invalid disk format 'vmdk'");
        refused(|op| op.disks = vec![with("adopt", "x")], "adoption");
        refused(|op| op.disks = vec![with("colour", "x")], "colour");
        refused(|op| op.disks = vec![with("name", "a"), with("name", "a")], "'a'");
        let nic = |param, value: &str| vec![NicParamsRequest::default().with(param, value)];
        refused(|op| op.nics = nic(NicParam::Ip, "1.2.3"), "Invalid IP address '1.2.3'");
        refused(|op| op.nics = nic(NicParam::Mode, "routed"), "Routed nic mode requires an ip address");
        refused(|op| op.nics = nic(NicParam::Mode, "warp"), "Invalid NIC mode 'warp'");
        refused(|op| op.nics = nic(NicParam::Mac, "xx"), "Invalid MAC address specified: xx");
        refused(|op| op.nics = nic(NicParam::Ip, "pool"), "if ip=pool, parameter network must be passed too");
        refused(|op| op.nics = nic(NicParam::Network, "lan"), "Network 'lan' not known");
        refused(|op| op.nics = vec![NicParamsRequest::default(); 9], "at most 8");
        let dict = |value: serde_json::Value| value.as_object().unwrap().clone();
        refused(|op| op.beparams = dict(json!({"minmem": 512, "maxmem": 128})), "minmem (512) cannot be higher than maxmem (128)");
        refused(|op| op.beparams = dict(json!({"colour": 1})), "Unknown parameter 'colour'");
        refused(|op| op.hvparams = dict(json!({"migration_port": 1})), "global and cannot be customized");
        refused(|op| op.hvparams = dict(json!({"acpi": true})), "Parameter 'acpi' is not supported");
        refused(|op| op.osparams = dict(json!({"a": {"b": 1}})), "'a'");
    }

    #[test]
    fn parameters_take_the_form_of_the_configuration() {
        let draft = read(|op| {
            op.beparams = json!({"memory": "1G", "vcpus": "auto"}).as_object().unwrap().clone();
            op.disks = vec![DiskParamsRequest::of_size(64).with("format", DiskValue::Text("qcow2".to_owned()))];
            op.nics = vec![NicParamsRequest::default().with(NicParam::Bridge, "br7").with(NicParam::Mac, "AA:00:00:00:00:77")];
        })
        .unwrap();
        assert_eq!(serde_json::to_value(&draft.instance.beparams).unwrap(), json!({"maxmem": 1024, "minmem": 1024}));
        assert_eq!(draft.instance.nics[0].mac, "aa:00:00:00:00:77");
        assert_eq!(serde_json::to_value(&draft.instance.nics[0].nicparams).unwrap(), json!({"link": "br7"}));
        assert_eq!(draft.disks[0].format, "qcow2");
    }

    #[test]
    fn values_equal_to_the_inherited_ones_can_be_left_out() {
        let draft = read(|op| {
            op.beparams = json!({"maxmem": 128, "vcpus": 3}).as_object().unwrap().clone();
            op.identify_defaults = true;
        })
        .unwrap();
        assert_eq!(serde_json::to_value(&draft.instance.beparams).unwrap(), json!({"vcpus": 3}));
    }
}

//! `OP_INSTANCE_CREATE`: adds an instance: new, from an export, or from another cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::opcode::{Dict, DiskParamsRequest, HookPath, HookType, NicParamsRequest, Parameters, Private, Secret, check, default};
use crate::param::{DiskTemplate, FileDriver, HypervisorKind, closed_set};

/// Parameters of `OP_INSTANCE_CREATE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceCreate {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// Accept an OS variant that the OS does not declare.
    #[serde(default)]
    pub force_variant: bool,
    /// Wait until mirrors are in sync.
    #[serde(default = "default::yes")]
    pub wait_for_sync: bool,
    /// Require that the name resolves.
    #[serde(default)]
    pub name_check: bool,
    /// Accept a violation of the instance policy.
    #[serde(default)]
    pub ignore_ipolicy: bool,
    /// Let the iallocator choose among nodes that are free right now.
    #[serde(default)]
    pub opportunistic_locking: bool,
    /// Backend parameters.
    #[serde(default)]
    pub beparams: Dict,
    /// The disks.
    pub disks: Vec<DiskParamsRequest>,
    /// How the disks are stored.
    pub disk_template: Option<DiskTemplate>,
    /// Node group the iallocator must choose from.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub group_name: Option<String>,
    /// How a Xen guest gets file-based disks.
    pub file_driver: Option<FileDriver>,
    /// Sub-directory for file-based disks.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub file_storage_dir: Option<String>,
    /// Hypervisor parameters.
    #[serde(default)]
    pub hvparams: Dict,
    /// The hypervisor; `None` means the default of the cluster.
    pub hypervisor: Option<HypervisorKind>,
    /// Iallocator to ask for places; `None` with no other choice given means the default one.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub iallocator: Option<String>,
    /// Do not record imported values that equal the defaults.
    #[serde(default)]
    pub identify_defaults: bool,
    /// Require that nobody answers on the address of the name.
    #[serde(default)]
    pub ip_check: bool,
    /// Require that addresses are not of a network that the request does not name.
    #[serde(default = "default::yes")]
    pub conflicts_check: bool,
    /// Where the contents come from.
    pub mode: InstanceCreateMode,
    /// The NICs.
    pub nics: Vec<NicParamsRequest>,
    /// Do not run the OS scripts.
    pub no_install: Option<bool>,
    /// OS parameters that anybody may see.
    #[serde(default)]
    pub osparams: Dict,
    /// OS parameters that are stored but not shown.
    pub osparams_private: Option<BTreeMap<String, Private<Value>>>,
    /// OS parameters that are not stored.
    pub osparams_secret: Option<BTreeMap<String, Secret<Value>>>,
    /// The OS, with `+variant`.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub os_type: Option<String>,
    /// Primary node.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub pnode: Option<String>,
    /// UUID of the primary node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub pnode_uuid: Option<String>,
    /// Secondary node.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub snode: Option<String>,
    /// UUID of the secondary node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub snode_uuid: Option<String>,
    /// Proof that the sending cluster took part: version, digest, salt.
    pub source_handshake: Option<Vec<Value>>,
    /// Name of the instance in the sending cluster.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub source_instance_name: Option<String>,
    /// How long the guest may take to shut down in the sending cluster, in seconds.
    #[serde(default = "default::shutdown_timeout")]
    pub source_shutdown_timeout: u64,
    /// Certificate authority of the sending cluster, in PEM.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub source_x509_ca: Option<String>,
    /// Node that holds the export.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub src_node: Option<String>,
    /// UUID of the node that holds the export, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub src_node_uuid: Option<String>,
    /// Directory of the export.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub src_path: Option<String>,
    /// Compression tool for data on its way; `none` for none.
    #[serde(default = "default::no_compression")]
    pub compress: String,
    /// Start the guest afterwards.
    #[serde(default = "default::yes")]
    pub start: bool,
    /// Only reserve: record the instance, create nothing.
    #[serde(default)]
    pub forthcoming: bool,
    /// Create what was reserved before.
    #[serde(default)]
    pub commit: bool,
    /// Tags.
    #[serde(default, deserialize_with = "check::nonempty_list")]
    pub tags: Vec<String>,
    /// Whether the guest can talk to its node.
    #[serde(default)]
    pub instance_communication: bool,
    /// How long the helper guest may take to start, in seconds.
    pub helper_startup_timeout: Option<i64>,
    /// How long the helper guest may take to stop, in seconds.
    pub helper_shutdown_timeout: Option<i64>,
}

impl InstanceCreate {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(
        instance_name: impl Into<String>,
        disks: Vec<DiskParamsRequest>,
        mode: InstanceCreateMode,
        nics: Vec<NicParamsRequest>,
    ) -> Self {
        Self {
            instance_name: instance_name.into(),
            force_variant: false,
            wait_for_sync: true,
            name_check: false,
            ignore_ipolicy: false,
            opportunistic_locking: false,
            beparams: Dict::new(),
            disks,
            disk_template: None,
            group_name: None,
            file_driver: None,
            file_storage_dir: None,
            hvparams: Dict::new(),
            hypervisor: None,
            iallocator: None,
            identify_defaults: false,
            ip_check: false,
            conflicts_check: true,
            mode,
            nics,
            no_install: None,
            osparams: Dict::new(),
            osparams_private: None,
            osparams_secret: None,
            os_type: None,
            pnode: None,
            pnode_uuid: None,
            snode: None,
            snode_uuid: None,
            source_handshake: None,
            source_instance_name: None,
            source_shutdown_timeout: default::SHUTDOWN_TIMEOUT_S,
            source_x509_ca: None,
            src_node: None,
            src_node_uuid: None,
            src_path: None,
            compress: default::no_compression(),
            start: true,
            forthcoming: false,
            commit: false,
            tags: Vec::new(),
            instance_communication: false,
            helper_startup_timeout: None,
            helper_shutdown_timeout: None,
        }
    }
}

impl Parameters for InstanceCreate {
    const OP_ID: &'static str = "OP_INSTANCE_CREATE";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceAdd, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}

closed_set! {
    /// Where the contents of a new instance come from.
    pub enum InstanceCreateMode ("instance creation mode") {
        /// From the OS scripts.
        Create = "create",
        /// From an export in this cluster.
        Import = "import",
        /// From an instance of another cluster.
        RemoteImport = "remote-import",
    }
}

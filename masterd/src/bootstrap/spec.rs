//! What `gnt-cluster init` asks for: one JSON object on the standard input of `gannet-masterd bootstrap`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

type Dict = Map<String, Value>;

/// The options of `gnt-cluster init`, by their names in Ganeti's option parser. What is left out has the default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spec {
    /// Name of the cluster; must resolve to its address.
    pub cluster_name: String,
    /// Address of this node for replication; `None` means the primary one.
    pub secondary_ip: Option<String>,
    /// LVM is not available yet: only `None` and the empty text are accepted.
    pub vg_name: Option<String>,
    /// First three bytes of generated MAC addresses.
    pub mac_prefix: Option<String>,
    /// Device of the master address; `None` means the link of `nicparams`.
    pub master_netdev: Option<String>,
    /// Prefix length of the master address; `None` means that of one address.
    pub master_netmask: Option<u64>,
    /// A script of the administrator handles the master address.
    pub use_external_mip_script: Option<bool>,
    /// Directory of file-based disks; `None` means the usual one when the template is enabled.
    pub file_storage_dir: Option<String>,
    /// Directory of disks in shared files.
    pub shared_file_storage_dir: Option<String>,
    /// Directory where GlusterFS is mounted.
    pub gluster_storage_dir: Option<String>,
    /// Hypervisors; `None` means kvm.
    pub enabled_hypervisors: Option<Vec<String>>,
    /// Disk templates; `None` means all that this version has.
    pub enabled_disk_templates: Option<Vec<String>>,
    /// Hypervisor parameters per hypervisor.
    pub hvparams: BTreeMap<String, Dict>,
    /// Backend parameters.
    pub beparams: Dict,
    /// NIC parameters.
    pub nicparams: Dict,
    /// Node parameters.
    pub ndparams: Dict,
    /// Disk parameters per template.
    pub diskparams: BTreeMap<String, Dict>,
    /// Instance policy: `minmax`, `std`, `disk-templates`, `vcpu-ratio`, `spindle-ratio`.
    pub ipolicy: Dict,
    /// How many nodes should be master candidates.
    pub candidate_pool_size: Option<u64>,
    /// This node's `/etc/hosts` gets an entry for it.
    pub modify_etc_hosts: bool,
    /// Kept as the cluster's setting: joining nodes needs no SSH here.
    pub modify_ssh_setup: bool,
    /// The watcher stops what does not belong on a node.
    pub maintain_node_health: Option<bool>,
    /// DRBD is not available yet: only `None` and the empty text are accepted.
    pub drbd_helper: Option<String>,
    /// User ids for guests, both ends included.
    pub uid_pool: Option<Vec<(i64, i64)>>,
    /// Iallocator used when none is asked for; `None` means hail.
    pub default_iallocator: Option<String>,
    /// Parameters for it.
    pub default_iallocator_params: Option<Dict>,
    /// 4 or 6.
    pub primary_ip_version: u8,
    /// New disks are overwritten before use.
    pub prealloc_wipe_disks: Option<bool>,
    /// Capacities of nodes per hypervisor; not available yet.
    pub hv_state: Dict,
    /// Capacities of storage; not available yet.
    pub disk_state: Dict,
    /// Image of the helper that runs OS scripts in a guest.
    pub install_image: Option<String>,
    /// Image of the helper that zeroes free space.
    pub zeroing_image: Option<String>,
    /// Compression tools that exports may use.
    pub compression_tools: Option<Vec<String>>,
    /// Stopping a guest from inside counts as stopping the instance.
    pub enabled_user_shutdown: Option<bool>,
    /// dsa, ecdsa or rsa.
    pub ssh_key_type: Option<String>,
    /// Bits of SSH keys.
    pub ssh_key_bits: Option<u32>,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            cluster_name: String::new(),
            secondary_ip: None,
            vg_name: None,
            mac_prefix: None,
            master_netdev: None,
            master_netmask: None,
            use_external_mip_script: None,
            file_storage_dir: None,
            shared_file_storage_dir: None,
            gluster_storage_dir: None,
            enabled_hypervisors: None,
            enabled_disk_templates: None,
            hvparams: BTreeMap::new(),
            beparams: Dict::new(),
            nicparams: Dict::new(),
            ndparams: Dict::new(),
            diskparams: BTreeMap::new(),
            ipolicy: Dict::new(),
            candidate_pool_size: None,
            modify_etc_hosts: true,
            modify_ssh_setup: true,
            maintain_node_health: None,
            drbd_helper: None,
            uid_pool: None,
            default_iallocator: None,
            default_iallocator_params: None,
            primary_ip_version: 4,
            prealloc_wipe_disks: None,
            hv_state: Dict::new(),
            disk_state: Dict::new(),
            install_image: None,
            zeroing_image: None,
            compression_tools: None,
            enabled_user_shutdown: None,
            ssh_key_type: None,
            ssh_key_bits: None,
        }
    }
}

//! Settings of the whole cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ParamMap, Stamps};
use crate::id::NodeUuid;
use crate::tag::TagSet;

/// The cluster object of `config.data`. Parameter maps hold what `gnt-cluster init/modify` set; [`crate::param`] fills them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// Public SSH host key of the master at initialisation; empty when SSH is not set up.
    pub rsahostkeypub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dsahostkeypub: Option<String>,
    /// Highest TCP port handed out (VNC consoles, DRBD).
    pub highest_used_port: u16,
    /// Ports that were handed out and given back.
    pub tcpudp_port_pool: Vec<u16>,
    /// First three bytes of generated MAC addresses.
    pub mac_prefix: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_group_name: Option<String>,
    pub reserved_lvs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drbd_usermode_helper: Option<String>,
    pub master_node: NodeUuid,
    pub master_ip: String,
    pub master_netdev: String,
    pub master_netmask: u8,
    pub use_external_mip_script: bool,
    pub cluster_name: String,
    /// Directory of file-based disks; empty: file storage is off.
    pub file_storage_dir: String,
    pub shared_file_storage_dir: String,
    pub gluster_storage_dir: String,
    pub enabled_hypervisors: Vec<String>,
    /// Per hypervisor.
    pub hvparams: BTreeMap<String, ParamMap>,
    /// Per OS, then per hypervisor.
    pub os_hvp: BTreeMap<String, BTreeMap<String, ParamMap>>,
    /// Key `default`.
    pub beparams: BTreeMap<String, ParamMap>,
    pub osparams: BTreeMap<String, BTreeMap<String, String>>,
    pub osparams_private_cluster: BTreeMap<String, BTreeMap<String, String>>,
    /// Key `default`.
    pub nicparams: BTreeMap<String, ParamMap>,
    pub ndparams: ParamMap,
    /// Per disk template.
    pub diskparams: BTreeMap<String, ParamMap>,
    pub candidate_pool_size: u32,
    pub modify_etc_hosts: bool,
    pub modify_ssh_setup: bool,
    pub maintain_node_health: bool,
    pub uid_pool: Vec<(u32, u32)>,
    pub default_iallocator: String,
    pub default_iallocator_params: ParamMap,
    pub hidden_os: Vec<String>,
    pub blacklisted_os: Vec<String>,
    /// 2: IPv4, 10: IPv6 (socket family numbers).
    pub primary_ip_family: u8,
    pub prealloc_wipe_disks: bool,
    /// The filled instance policy, as JSON; typed by [`crate::param::ipolicy`].
    pub ipolicy: Value,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hv_state_static: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disk_state_static: BTreeMap<String, Value>,
    pub enabled_disk_templates: Vec<String>,
    /// Digest of the client certificate per master candidate.
    pub candidate_certs: BTreeMap<NodeUuid, String>,
    pub max_running_jobs: u32,
    pub max_tracked_jobs: u32,
    pub install_image: String,
    pub instance_communication_network: String,
    pub zeroing_image: String,
    pub compression_tools: Vec<String>,
    pub enabled_user_shutdown: bool,
    pub data_collectors: BTreeMap<String, DataCollector>,
    pub ssh_key_type: String,
    pub ssh_key_bits: u32,
    #[serde(flatten)]
    pub stamps: Stamps,
    pub uuid: String,
    #[serde(default)]
    pub tags: TagSet,
}

/// Whether a collector of the monitoring daemon runs, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataCollector {
    pub active: bool,
    /// Microseconds.
    pub interval: serde_json::Number,
}

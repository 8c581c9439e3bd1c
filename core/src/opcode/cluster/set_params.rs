//! `OP_CLUSTER_SET_PARAMS`: modifies settings of the cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::opcode::{Dict, HookPath, HookType, ListChange, NicParamsRequest, Parameters, Private, check};
use crate::param::{DiskTemplate, HypervisorKind};

/// Parameters of `OP_CLUSTER_SET_PARAMS`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSetParams {
    /// Do it although a check speaks against it.
    #[serde(default)]
    pub force: bool,
    /// Capacities of nodes per hypervisor, replacing those the hypervisors report.
    pub hv_state: Option<Dict>,
    /// Capacities of storage, replacing those the nodes report.
    pub disk_state: Option<Dict>,
    /// LVM volume group of disks; the empty text turns LVM off.
    pub vg_name: Option<String>,
    /// Hypervisors instances may use; the first one is the default.
    pub enabled_hypervisors: Option<Vec<HypervisorKind>>,
    /// Hypervisor parameters per hypervisor.
    pub hvparams: Option<BTreeMap<String, Dict>>,
    /// Backend parameters.
    pub beparams: Option<Dict>,
    /// Hypervisor parameters per OS and hypervisor.
    pub os_hvp: Option<BTreeMap<String, Dict>>,
    /// OS parameters per OS that anybody may see.
    pub osparams: Option<BTreeMap<String, Dict>>,
    /// OS parameters per OS that are stored but not shown.
    pub osparams_private_cluster: Option<BTreeMap<String, BTreeMap<String, Private<Value>>>>,
    /// Parameters of disk templates.
    pub diskparams: Option<BTreeMap<DiskTemplate, Dict>>,
    /// How many nodes should be master candidates.
    #[serde(default, deserialize_with = "check::maybe_positive")]
    pub candidate_pool_size: Option<u64>,
    /// How many jobs may run at the same time.
    #[serde(default, deserialize_with = "check::maybe_positive")]
    pub max_running_jobs: Option<u64>,
    /// How many jobs are watched for changes at the same time.
    #[serde(default, deserialize_with = "check::maybe_positive")]
    pub max_tracked_jobs: Option<u64>,
    /// Ranges of user ids for guests, both ends included.
    pub uid_pool: Option<Vec<(i64, i64)>>,
    /// Ranges of user ids to add to the pool.
    pub add_uids: Option<Vec<(i64, i64)>>,
    /// Ranges of user ids to take out of the pool.
    pub remove_uids: Option<Vec<(i64, i64)>>,
    /// Whether the watcher stops what does not belong on a node.
    pub maintain_node_health: Option<bool>,
    /// Whether new disks are overwritten before use.
    pub prealloc_wipe_disks: Option<bool>,
    /// NIC parameters.
    pub nicparams: Option<NicParamsRequest>,
    /// Node parameters.
    pub ndparams: Option<Dict>,
    /// Instance policy: the values to change.
    pub ipolicy: Option<Dict>,
    /// Program that DRBD calls on nodes; the empty text turns DRBD off.
    pub drbd_helper: Option<String>,
    /// Iallocator used when none is asked for; the empty text means none.
    pub default_iallocator: Option<String>,
    /// Parameters for the default iallocator.
    pub default_iallocator_params: Option<Dict>,
    /// First three bytes of generated MAC addresses, `xx:xx:xx`.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub mac_prefix: Option<String>,
    /// Network device of the master IP address.
    pub master_netdev: Option<String>,
    /// Prefix length of the master IP address.
    pub master_netmask: Option<u64>,
    /// Regular expressions of logical volumes that are not the cluster's.
    #[serde(default, deserialize_with = "check::maybe_nonempty_list")]
    pub reserved_lvs: Option<Vec<String>>,
    /// Changes of the list of OSes that are not listed.
    #[serde(default, deserialize_with = "check::maybe_os_changes")]
    pub hidden_os: Option<Vec<(ListChange, String)>>,
    /// Changes of the list of OSes that are not offered for new instances.
    #[serde(default, deserialize_with = "check::maybe_os_changes")]
    pub blacklisted_os: Option<Vec<(ListChange, String)>>,
    /// Whether a script of the administrator handles the master IP address.
    pub use_external_mip_script: Option<bool>,
    /// Disk templates instances may use; the first one is the default.
    pub enabled_disk_templates: Option<Vec<DiskTemplate>>,
    /// Whether nodes get entries for each other in `/etc/hosts`.
    pub modify_etc_hosts: Option<bool>,
    /// Directory of file-based disks; the empty text turns them off.
    pub file_storage_dir: Option<String>,
    /// Directory of disks in shared files; the empty text turns them off.
    pub shared_file_storage_dir: Option<String>,
    /// Directory where GlusterFS is mounted; the empty text turns it off.
    pub gluster_storage_dir: Option<String>,
    /// Image of the helper that runs OS scripts in a guest.
    pub install_image: Option<String>,
    /// Network through which guests talk to their node; the empty text means none.
    pub instance_communication_network: Option<String>,
    /// OS image of the helper that zeroes free space.
    pub zeroing_image: Option<String>,
    /// Compression tools that exports may use.
    #[serde(default, deserialize_with = "check::maybe_nonempty_list")]
    pub compression_tools: Option<Vec<String>>,
    /// Whether stopping a guest from inside counts as stopping the instance.
    pub enabled_user_shutdown: Option<bool>,
    /// Which collectors of the monitoring daemon run.
    pub enabled_data_collectors: Option<BTreeMap<String, bool>>,
    /// How often collectors run, in microseconds.
    pub data_collector_interval: Option<BTreeMap<String, i64>>,
}

impl Parameters for ClusterSetParams {
    const OP_ID: &'static str = "OP_CLUSTER_SET_PARAMS";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::ClusterModify, HookType::Cluster));
}

//! What `gnt-cluster` understands.

use super::option::*;
use super::{ArgKind, Positional, Program, SubCommand};

/// The program `gnt-cluster`.
pub const PROGRAM: Program = Program { name: "gnt-cluster", about: "the cluster as a whole", commands: COMMANDS };

const COMMANDS: &[SubCommand] = &[
SubCommand { name: "activate-master-ip", aliases: &[], about: "bring up the master's address", args: &[], options: &[], env_default: None },
SubCommand { name: "add-tags", aliases: &[], about: "add tags", args: &[Positional { kind: ArgKind::Text, min: 0, max: None, choices: &[] }], options: &[FROM, PRINT_JOBID, PRIORITY, SUBMIT], env_default: None },
SubCommand { name: "command", aliases: &[], about: "run a command on all nodes", args: &[Positional { kind: ArgKind::Command, min: 1, max: None, choices: &[] }], options: &[FAILURE_ONLY, NODES, NODE_GROUP, SHOW_MACHINE_NAMES], env_default: None },
SubCommand { name: "copyfile", aliases: &[], about: "copy a file to all nodes", args: &[Positional { kind: ArgKind::File, min: 1, max: Some(1), choices: &[] }], options: &[NODES, NODE_GROUP, USE_REPLICATION_NETWORK], env_default: None },
SubCommand { name: "deactivate-master-ip", aliases: &[], about: "take the master's address down", args: &[], options: &[YES], env_default: None },
SubCommand { name: "destroy", aliases: &[], about: "destroy the cluster", args: &[], options: &[YES_DO_IT_OR_YA_RLY], env_default: None },
SubCommand { name: "epo", aliases: &[], about: "emergency power off of nodes", args: &[Positional { kind: ArgKind::Text, min: 0, max: None, choices: &[] }], options: &[ALL, FORCE, GROUPS, ON, OOB_TIMEOUT, POWER_DELAY, SHUTDOWN_TIMEOUT], env_default: None },
SubCommand { name: "getmaster", aliases: &[], about: "name of the master node", args: &[], options: &[], env_default: None },
SubCommand { name: "info", aliases: &["show"], about: "settings of the cluster", args: &[], options: &[ROMAN], env_default: None },
SubCommand { name: "init", aliases: &[], about: "make a new cluster with this node as its master", args: &[Positional { kind: ArgKind::Host, min: 1, max: Some(1), choices: &[] }], options: &[BACKEND_PARAMETERS, CANDIDATE_POOL_SIZE, COMPRESSION_TOOLS, DEFAULT_IALLOCATOR, DEFAULT_IALLOCATOR_PARAMS, DISK_PARAMETERS, DISK_STATE, DRBD_USERMODE_HELPER, ENABLED_DISK_TEMPLATES, ENABLED_HYPERVISORS, CLUSTER_FILE_STORAGE_DIR, GLUSTER_STORAGE_DIR, HVPARAMS_APPEND, HYPERVISOR_STATE, INSTALL_IMAGE, IPOLICY_BOUNDS_SPECS, IPOLICY_DISK_TEMPLATES, IPOLICY_SPINDLE_RATIO, IPOLICY_STD_SPECS, IPOLICY_VCPU_RATIO, MAC_PREFIX, MAINTAIN_NODE_HEALTH, MASTER_NETDEV, MASTER_NETMASK, NIC_PARAMETERS, NO_ETC_HOSTS, NO_SSH_INIT, NODE_PARAMETERS, PREALLOC_WIPE_DISKS, PRIMARY_IP_VERSION, SECONDARY_IP, SHARED_FILE_STORAGE_DIR, SPECS_CPU_COUNT, SPECS_DISK_COUNT, SPECS_DISK_SIZE, SPECS_MEM_SIZE, SPECS_NIC_COUNT, SSH_KEY_BITS, SSH_KEY_TYPE, UID_POOL, USE_EXTERNAL_MIP_SCRIPT, USER_SHUTDOWN, VG_NAME, ZEROING_IMAGE], env_default: None },
SubCommand { name: "list-tags", aliases: &[], about: "list tags", args: &[], options: &[], env_default: None },
SubCommand { name: "master-failover", aliases: &["masterfailover"], about: "make this node the master", args: &[], options: &[IGNORE_OFFLINE_NODES, NO_VOTING, YES_DO_IT], env_default: None },
SubCommand { name: "master-ping", aliases: &[], about: "ask whether the master answers", args: &[], options: &[], env_default: None },
SubCommand { name: "modify", aliases: &[], about: "change settings", args: &[], options: &[ADD_UIDS, BACKEND_PARAMETERS, CANDIDATE_POOL_SIZE, COMPRESSION_TOOLS, DATA_COLLECTOR_INTERVAL, DEFAULT_IALLOCATOR, DEFAULT_IALLOCATOR_PARAMS, DISK_PARAMETERS, DISK_STATE, DRBD_USERMODE_HELPER, DRY_RUN, ENABLED_DATA_COLLECTORS, ENABLED_DISK_TEMPLATES, ENABLED_HYPERVISORS, CLUSTER_FILE_STORAGE_DIR, FORCE, HVPARAMS_APPEND, HYPERVISOR_STATE, INSTALL_IMAGE, INSTANCE_COMMUNICATION_NETWORK, IPOLICY_BOUNDS_SPECS, IPOLICY_DISK_TEMPLATES, IPOLICY_SPINDLE_RATIO, IPOLICY_STD_SPECS, IPOLICY_VCPU_RATIO, MAC_PREFIX, MAINTAIN_NODE_HEALTH, MASTER_NETDEV, MASTER_NETMASK, MAX_RUNNING_JOBS, MAX_TRACKED_JOBS, MODIFY_ETC_HOSTS, NIC_PARAMETERS, NODE_PARAMETERS, PREALLOC_WIPE_DISKS, PRINT_JOBID, PRIORITY, REMOVE_UIDS, RESERVED_LVS, SHARED_FILE_STORAGE_DIR, SUBMIT, UID_POOL, USE_EXTERNAL_MIP_SCRIPT, USER_SHUTDOWN, VG_NAME, ZEROING_IMAGE], env_default: None },
SubCommand { name: "queue", aliases: &[], about: "drain or undrain the job queue", args: &[Positional { kind: ArgKind::Choice, min: 1, max: Some(1), choices: &["drain", "undrain", "info"] }], options: &[], env_default: None },
SubCommand { name: "redist-conf", aliases: &[], about: "send the configuration to all nodes again", args: &[], options: &[DRY_RUN, PRINT_JOBID, PRIORITY, SUBMIT, YES_DO_IT], env_default: None },
SubCommand { name: "remove-tags", aliases: &[], about: "remove tags", args: &[Positional { kind: ArgKind::Text, min: 0, max: None, choices: &[] }], options: &[FROM, PRINT_JOBID, PRIORITY, SUBMIT], env_default: None },
SubCommand { name: "rename", aliases: &[], about: "rename the cluster", args: &[Positional { kind: ArgKind::Host, min: 1, max: Some(1), choices: &[] }], options: &[DRY_RUN, FORCE], env_default: None },
SubCommand { name: "renew-crypto", aliases: &[], about: "replace certificates and secrets", args: &[], options: &[CLUSTER_DOMAIN_SECRET, FORCE, NEW_CLUSTER_CERTIFICATE, NEW_CLUSTER_DOMAIN_SECRET, NEW_CONFD_HMAC_KEY, NEW_NODE_CERTIFICATES, NEW_RAPI_CERTIFICATE, NEW_SPICE_CERTIFICATE, NEW_SSH_KEYS, NO_SSH_KEY_CHECK, RAPI_CERTIFICATE, SPICE_CA_CERTIFICATE, SPICE_CERTIFICATE, SSH_KEY_BITS, SSH_KEY_TYPE, VERBOSE], env_default: None },
SubCommand { name: "repair-disk-sizes", aliases: &[], about: "correct recorded disk sizes", args: &[Positional { kind: ArgKind::Instance, min: 0, max: None, choices: &[] }], options: &[DRY_RUN, PRIORITY], env_default: None },
SubCommand { name: "search-tags", aliases: &[], about: "find objects by their tags", args: &[Positional { kind: ArgKind::Text, min: 1, max: Some(1), choices: &[] }], options: &[PRIORITY], env_default: None },
SubCommand { name: "show-ispecs-cmd", aliases: &[], about: "show the command that would set the present instance policy", args: &[], options: &[], env_default: None },
SubCommand { name: "upgrade", aliases: &[], about: "change the version of the cluster", args: &[], options: &[RESUME, TO_VERSION], env_default: None },
SubCommand { name: "verify", aliases: &[], about: "check the cluster", args: &[], options: &[DEBUG_SIMULATE_ERRORS, DRY_RUN, ERROR_CODES, IGNORE_ERRORS, NO_HV_PARAM_ASSESSMENT, NO_NPLUS1_MEM, NODE_GROUP, PRIORITY, VERBOSE, VERIFY_SSH_CLUTTER], env_default: None },
SubCommand { name: "verify-disks", aliases: &[], about: "check the disks of instances and bring up what is down", args: &[], options: &[NO_STRICT, NODE_GROUP, PRIORITY], env_default: None },
SubCommand { name: "version", aliases: &[], about: "versions of software and protocols", args: &[], options: &[], env_default: None },
SubCommand { name: "watcher", aliases: &[], about: "pause the watcher or let it go on", args: &[Positional { kind: ArgKind::Choice, min: 1, max: Some(1), choices: &["pause", "continue", "info"] }, Positional { kind: ArgKind::Suggest, min: 0, max: Some(1), choices: &["30m", "1h", "4h"] }], options: &[], env_default: None },
];

//! Options of `gnt-cluster` only.

use crate::spec::{Kind, Opt};

pub const ADD_UIDS: Opt = Opt::value("add-uids", Kind::Text, "TEXT", "user ids to add to the pool");
pub const ALL: Opt = Opt::flag("all", "show and act on all nodes");
pub const CANDIDATE_POOL_SIZE: Opt = Opt::value("candidate-pool-size", Kind::Int, "N", "number of master candidates wanted").short('C');
pub const CLUSTER_DOMAIN_SECRET: Opt =
    Opt::value("cluster-domain-secret", Kind::Text, "TEXT", "file with the secret for moves between clusters");
pub const CLUSTER_FILE_STORAGE_DIR: Opt = Opt::value("file-storage-dir", Kind::Text, "DIR", "directory for file disks");
pub const COMPRESSION_TOOLS: Opt =
    Opt::value("compression-tools", Kind::Text, "TEXT", "programs that may compress data, separated by commas");
pub const DATA_COLLECTOR_INTERVAL: Opt =
    Opt::value("data-collector-interval", Kind::KeyVal, "KEY=VAL,...", "seconds between runs of data collectors: NAME=SECONDS,...");
pub const DEBUG_SIMULATE_ERRORS: Opt = Opt::flag("debug-simulate-errors", "pretend that every check fails");
pub const DEFAULT_IALLOCATOR: Opt =
    Opt::value("default-iallocator", Kind::Text, "NAME", "instance allocator used when none is named").short('I');
pub const DEFAULT_IALLOCATOR_PARAMS: Opt =
    Opt::value("default-iallocator-params", Kind::KeyVal, "KEY=VAL,...", "parameters of the default instance allocator");
pub const DRBD_USERMODE_HELPER: Opt = Opt::value("drbd-usermode-helper", Kind::Text, "TEXT", "program that DRBD calls");
pub const ENABLED_DATA_COLLECTORS: Opt =
    Opt::value("enabled-data-collectors", Kind::KeyVal, "KEY=VAL,...", "switch data collectors on or off: NAME=yes|no,...");
pub const ENABLED_DISK_TEMPLATES: Opt =
    Opt::value("enabled-disk-templates", Kind::Text, "TEXT", "disk templates that may be used, separated by commas");
pub const ENABLED_HYPERVISORS: Opt =
    Opt::value("enabled-hypervisors", Kind::Text, "TEXT", "hypervisors that may be used, separated by commas; the first is the default");
pub const ERROR_CODES: Opt = Opt::flag("error-codes", "write errors in a form for programs");
pub const FAILURE_ONLY: Opt = Opt::flag("failure-only", "show only nodes on which it failed");
pub const GLUSTER_STORAGE_DIR: Opt =
    Opt::value("gluster-storage-dir", Kind::Text, "GLUSTERDIR", "mount point of Gluster volumes").default("/var/run/ganeti/gluster");
pub const GROUPS: Opt = Opt::flag("groups", "the arguments are node groups");
pub const IGNORE_ERRORS: Opt = Opt::value(
    "ignore-errors",
    Kind::Choice(&[
        "ECLUSTERCERT",
        "ECLUSTERCFG",
        "ECLUSTERCLIENTCERT",
        "ECLUSTERDANGLINGINST",
        "ECLUSTERDANGLINGNODES",
        "ECLUSTERFILECHECK",
        "EEXTAGS",
        "EGROUPDIFFERENTPVSIZE",
        "EINSTANCEBADNODE",
        "EINSTANCEDOWN",
        "EINSTANCEFAULTYDISK",
        "EINSTANCELAYOUT",
        "EINSTANCEMISSINGCFGPARAMETER",
        "EINSTANCEMISSINGDISK",
        "EINSTANCEPOLICY",
        "EINSTANCESPLITGROUPS",
        "EINSTANCEUNSUITABLENODE",
        "EINSTANCEWRONGNODE",
        "ENODEDRBD",
        "ENODEDRBDHELPER",
        "ENODEDRBDVERSION",
        "ENODEFILECHECK",
        "ENODEFILESTORAGEPATHS",
        "ENODEFILESTORAGEPATHUNUSABLE",
        "ENODEGLUSTERSTORAGEPATHUNUSABLE",
        "ENODEHOOKS",
        "ENODEHV",
        "ENODELVM",
        "ENODEN1",
        "ENODENET",
        "ENODEOOBPATH",
        "ENODEORPHANINSTANCE",
        "ENODEORPHANLV",
        "ENODEOS",
        "ENODERPC",
        "ENODESETUP",
        "ENODESHAREDFILESTORAGEPATHUNUSABLE",
        "ENODESSH",
        "ENODETIME",
        "ENODEUSERSCRIPTS",
        "ENODEVERSION",
    ]),
    "CODE",
    "count this error as a warning; may be given again",
)
.short('I')
.many();
pub const IGNORE_OFFLINE_NODES: Opt =
    Opt::value("ignore-offline-nodes", Kind::Text, "TEXT", "whether offline nodes are left out of the vote");
pub const INSTALL_IMAGE: Opt = Opt::value("install-image", Kind::Text, "TEXT", "image for the safe installation of guests");
pub const INSTANCE_COMMUNICATION_NETWORK: Opt =
    Opt::value("instance-communication-network", Kind::Text, "TEXT", "network between guests and their nodes");
pub const IPOLICY_STD_SPECS: Opt =
    Opt::value("ipolicy-std-specs", Kind::KeyVal, "KEY=VAL,...", "instance policy: the usual size of an instance");
pub const MAINTAIN_NODE_HEALTH: Opt =
    Opt::value("maintain-node-health", Kind::YesNo, "yes|no", "whether the watcher may stop unknown guests on offline nodes");
pub const MASTER_NETDEV: Opt = Opt::value("master-netdev", Kind::Text, "NETDEV", "network interface for the master's address");
pub const MASTER_NETMASK: Opt = Opt::value("master-netmask", Kind::Text, "NETMASK", "netmask of the master's address, in bits");
pub const MAX_RUNNING_JOBS: Opt = Opt::value("max-running-jobs", Kind::Int, "N", "most jobs that run at the same time");
pub const MAX_TRACKED_JOBS: Opt = Opt::value("max-tracked-jobs", Kind::Int, "N", "most jobs that are watched at the same time");
pub const MODIFY_ETC_HOSTS: Opt = Opt::value("modify-etc-hosts", Kind::YesNo, "yes|no", "whether /etc/hosts is kept up to date");
pub const NEW_CLUSTER_CERTIFICATE: Opt = Opt::flag("new-cluster-certificate", "make a new authority of the cluster");
pub const NEW_CLUSTER_DOMAIN_SECRET: Opt = Opt::flag("new-cluster-domain-secret", "make a new secret for moves between clusters");
pub const NEW_CONFD_HMAC_KEY: Opt = Opt::flag("new-confd-hmac-key", "make a new key for configuration queries");
pub const NEW_NODE_CERTIFICATES: Opt = Opt::flag("new-node-certificates", "make new node certificates");
pub const NEW_RAPI_CERTIFICATE: Opt = Opt::flag("new-rapi-certificate", "make a new RAPI certificate");
pub const NEW_SPICE_CERTIFICATE: Opt = Opt::flag("new-spice-certificate", "make a new SPICE certificate");
pub const NEW_SSH_KEYS: Opt = Opt::flag("new-ssh-keys", "make new SSH keys");
pub const NO_ETC_HOSTS: Opt = Opt::flag("no-etc-hosts", "leave /etc/hosts alone");
pub const NO_HV_PARAM_ASSESSMENT: Opt = Opt::flag("no-hv-param-assessment", "do not judge hypervisor parameters");
pub const NO_NPLUS1_MEM: Opt = Opt::flag("no-nplus1-mem", "do not check whether the loss of a node leaves enough memory");
pub const NO_SSH_INIT: Opt = Opt::flag("no-ssh-init", "leave the SSH setup of nodes alone");
pub const NO_STRICT: Opt = Opt::flag("no-strict", "do not fail when a volume group is missing on a node");
pub const NO_VOTING: Opt = Opt::flag("no-voting", "do not ask the other nodes who the master is");
pub const ON: Opt = Opt::flag("on", "power on instead of off");
pub const PREALLOC_WIPE_DISKS: Opt = Opt::value("prealloc-wipe-disks", Kind::YesNo, "yes|no", "whether new disks are wiped first");
pub const PRIMARY_IP_VERSION: Opt = Opt::value("primary-ip-version", Kind::Text, "4|6", "version of primary addresses").default("4");
pub const RAPI_CERTIFICATE: Opt = Opt::value("rapi-certificate", Kind::Text, "TEXT", "file with the RAPI certificate and key to use");
pub const REMOVE_UIDS: Opt = Opt::value("remove-uids", Kind::Text, "TEXT", "user ids to remove from the pool");
pub const RESERVED_LVS: Opt =
    Opt::value("reserved-lvs", Kind::Text, "TEXT", "patterns of logical volumes to leave alone, separated by commas");
pub const RESUME: Opt = Opt::flag("resume", "go on with an upgrade that was interrupted");
pub const SHARED_FILE_STORAGE_DIR: Opt = Opt::value("shared-file-storage-dir", Kind::Text, "SHAREDDIR", "directory for shared file disks");
pub const SPECS_CPU_COUNT: Opt =
    Opt::value("specs-cpu-count", Kind::KeyVal, "KEY=VAL,...", "instance policy: min, max, std number of virtual CPUs");
pub const SPECS_DISK_COUNT: Opt =
    Opt::value("specs-disk-count", Kind::KeyVal, "KEY=VAL,...", "instance policy: min, max, std number of disks");
pub const SPECS_DISK_SIZE: Opt =
    Opt::value("specs-disk-size", Kind::KeyVal, "KEY=VAL,...", "instance policy: min, max, std size of a disk");
pub const SPECS_MEM_SIZE: Opt =
    Opt::value("specs-mem-size", Kind::KeyVal, "KEY=VAL,...", "instance policy: min, max, std amount of memory");
pub const SPECS_NIC_COUNT: Opt =
    Opt::value("specs-nic-count", Kind::KeyVal, "KEY=VAL,...", "instance policy: min, max, std number of interfaces");
pub const SPICE_CA_CERTIFICATE: Opt =
    Opt::value("spice-ca-certificate", Kind::Text, "TEXT", "file with the authority of the SPICE certificate");
pub const SPICE_CERTIFICATE: Opt = Opt::value("spice-certificate", Kind::Text, "TEXT", "file with the SPICE certificate and key to use");
pub const SSH_KEY_BITS: Opt = Opt::value("ssh-key-bits", Kind::Int, "N", "length of SSH keys");
pub const SSH_KEY_TYPE: Opt = Opt::value("ssh-key-type", Kind::Choice(&["dsa", "ecdsa", "rsa"]), "dsa|ecdsa|rsa", "type of SSH keys");
pub const TO_VERSION: Opt = Opt::value("to", Kind::Text, "TEXT", "version to change to");
pub const UID_POOL: Opt = Opt::value("uid-pool", Kind::Text, "TEXT", "user ids for guests: N or N-M, separated by commas");
pub const USER_SHUTDOWN: Opt = Opt::value("user-shutdown", Kind::YesNo, "yes|no", "whether guests may be shut down from inside");
pub const USE_EXTERNAL_MIP_SCRIPT: Opt =
    Opt::value("use-external-mip-script", Kind::YesNo, "yes|no", "whether an own script sets up the master's address");
pub const USE_REPLICATION_NETWORK: Opt = Opt::flag("use-replication-network", "copy over the secondary network");
pub const VERIFY_SSH_CLUTTER: Opt = Opt::flag("verify-ssh-clutter", "look for forgotten SSH keys");
pub const VG_NAME: Opt = Opt::value("vg-name", Kind::Text, "VG", "volume group of plain and drbd disks");
pub const YES_DO_IT: Opt = Opt::flag("yes-do-it", "confirm that this is really wanted");
pub const ZEROING_IMAGE: Opt = Opt::value("zeroing-image", Kind::Text, "TEXT", "image of the guest that zeroes disks");

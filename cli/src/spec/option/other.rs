//! Options of one other program only.

use crate::spec::{Kind, Opt};

pub const ACTION: Opt =
    Opt::value("action", Kind::FilterAction, "ACTION", "ACCEPT, PAUSE, REJECT, CONTINUE or \"RATE_LIMIT N\"").default("CONTINUE");
pub const ADD_RESERVED_IPS: Opt = Opt::value("add-reserved-ips", Kind::Text, "TEXT", "addresses to reserve, separated by commas");
pub const ALLOCATABLE: Opt = Opt::value("allocatable", Kind::YesNo, "yes|no", "whether new volumes may be put there");
pub const ALLOCATOR_DISKS: Opt = Opt::value("disks", Kind::Text, "TEXT", "sizes of the disks, separated by commas").default("4096,4096");
pub const ALLOC_POLICY: Opt = Opt::value("alloc-policy", Kind::Text, "POLICY", "preferred, last_resort or unallocable");
pub const ARCHIVED: Opt = Opt::flag("archived", "show archived jobs too");
pub const AUTO_PROMOTE: Opt = Opt::flag("auto-promote", "promote other nodes when there are too few master candidates");
pub const BLACKLISTED: Opt = Opt::value("blacklisted", Kind::YesNo, "yes|no", "whether the OS may not be installed");
pub const COUNT: Opt = Opt::value("count", Kind::Int, "N", "number of instances wanted").default("2");
pub const DIR: Opt =
    Opt::value("dir", Kind::Choice(&["in", "out"]), "in|out", "in shows the request, out runs the allocator").default("in");
pub const DRAINED: Opt = Opt::value("drained", Kind::YesNo, "yes|no", "whether the node gets no new instances").short('D');
pub const EACH: Opt = Opt::flag("each", "submit every job by itself");
pub const ERROR: Opt = Opt::flag("error", "only jobs that failed");
pub const EVAC_MODE: Opt = Opt::value(
    "evac-mode",
    Kind::Choice(&["all", "primary-only", "secondary-only"]),
    "all|primary-only|secondary-only",
    "which instances leave the node",
)
.default("all");
pub const FILTER_PRIORITY: Opt = Opt::value("priority", Kind::Int, "N", "rank of the rule, lower first").default("0");
pub const FINISHED: Opt = Opt::flag("finished", "only jobs that ended");
pub const FORCE_FAILOVER: Opt = Opt::flag("force-failover", "fail over, never migrate");
pub const FORCE_JOIN: Opt = Opt::flag("force-join", "join although the node belongs to another cluster");
pub const GATEWAY: Opt = Opt::value("gateway", Kind::Text, "TEXT", "IPv4 gateway");
pub const GATEWAY6: Opt = Opt::value("gateway6", Kind::Text, "TEXT", "IPv6 gateway");
pub const HIDDEN: Opt = Opt::value("hidden", Kind::YesNo, "yes|no", "whether the OS is left out of lists");
pub const IDENTIFY_DEFAULTS: Opt = Opt::flag("identify-defaults", "do not record imported values that equal the defaults");
pub const IGNORE_REMOVE_FAILURES: Opt = Opt::flag("ignore-remove-failures", "go on when the instance cannot be removed after the export");
pub const IGNORE_SOFT_ERRORS: Opt = Opt::flag("ignore-soft-errors", "ignore what does not prevent the evacuation");
pub const IGNORE_STATUS: Opt = Opt::flag("ignore-status", "power off although the node is not marked offline");
pub const INCLUDE_DEFAULTS: Opt = Opt::flag("include-defaults", "show inherited values too");
pub const INTERRUPTIBLE: Opt = Opt::flag("interruptible", "let the delay be interrupted over a socket").short('i');
pub const INTERVAL: Opt = Opt::value("interval", Kind::Int, "N", "show again every so many seconds");
pub const JOB_REPEAT: Opt = Opt::value("job-repeat", Kind::Int, "N", "how many times to submit each job").default("1");
pub const KILL: Opt = Opt::flag("kill", "kill the job's process");
pub const LONG_SLEEP: Opt = Opt::flag("long-sleep", "allow long pauses while the disks are being zeroed");
pub const MASTER_CANDIDATE: Opt =
    Opt::value("master-candidate", Kind::YesNo, "yes|no", "whether the node is a master candidate").short('C');
pub const MASTER_CAPABLE: Opt = Opt::value("master-capable", Kind::YesNo, "yes|no", "whether the node can be a master candidate");
pub const MEMORY: Opt = Opt::value("memory", Kind::Unit, "SIZE", "memory of the instance").default("128");
pub const MODE: Opt = Opt::value(
    "mode",
    Kind::Choice(&["allocate", "allocate-secondary", "change-group", "multi-allocate", "node-evacuate", "relocate"]),
    "allocate|allocate-secondary|change-group|multi-allocate|node-evacuate|relocate",
    "kind of request",
)
.short('m')
.default("relocate");
pub const NETWORK: Opt = Opt::value("network", Kind::Text, "TEXT", "IPv4 network, a.b.c.d/bits");
pub const NETWORK6: Opt = Opt::value("network6", Kind::Text, "TEXT", "IPv6 network");
pub const NICS: Opt = Opt::value("nics", Kind::Text, "TEXT", "MAC addresses, separated by commas").default("00:11:22:33:44:55");
pub const NODE_OFFLINE: Opt = Opt::value("offline", Kind::YesNo, "yes|no", "whether the node is offline").short('O');
pub const NODE_POWERED: Opt = Opt::value("node-powered", Kind::YesNo, "yes|no", "record whether the node has power");
pub const NOSHUTDOWN: Opt = Opt::flag("noshutdown", "export without shutting the instance down");
pub const NO_LOCKS: Opt = Opt::flag("no-locks", "do not lock the nodes").short('l');
pub const NO_MASTER: Opt = Opt::flag("no-master", "do not wait on the master");
pub const NO_NODE_SETUP: Opt = Opt::flag("no-node-setup", "do not set the node up over SSH");
pub const ON_NODES: Opt = Opt::value("", Kind::Text, "TEXT", "wait on this node; may be given again").short('n').many();
pub const OP_REPEAT: Opt = Opt::value("op-repeat", Kind::Int, "N", "how many times each opcode is in its job").default("1");
pub const PENDING: Opt = Opt::flag("pending", "only jobs that wait or are queued");
pub const PREDICATES: Opt = Opt::value("predicates", Kind::Json, "JSON", "conditions of the rule, as JSON");
pub const PRIMARY_ONLY: Opt = Opt::flag("primary-only", "only primary instances").short('p');
pub const QUEUED: Opt = Opt::flag("queued", "only jobs that are queued");
pub const READD: Opt = Opt::flag("readd", "add a node again that the cluster knows");
pub const REMOVE_INSTANCE: Opt = Opt::flag("remove-instance", "remove the instance after the export");
pub const REMOVE_RESERVED_IPS: Opt = Opt::value("remove-reserved-ips", Kind::Text, "TEXT", "addresses to release, separated by commas");
pub const REPEAT: Opt = Opt::value("repeat", Kind::Int, "N", "how often to repeat").short('r').default("0");
pub const RUNNING: Opt = Opt::flag("running", "only jobs that run");
pub const SECONDARY_ONLY: Opt = Opt::flag("secondary-only", "only secondary instances").short('s');
pub const SEQUENTIAL: Opt = Opt::flag("sequential", "move one instance after the other");
pub const SPINDLE_USE: Opt = Opt::value("spindle-use", Kind::Int, "N", "spindles used").default("1");
pub const SRC_DIR: Opt = Opt::value("src-dir", Kind::Text, "dir", "directory of the export");
pub const SRC_NODE: Opt = Opt::value("src-node", Kind::Text, "node", "node that holds the export");
pub const STORAGE_TYPE: Opt =
    Opt::value("storage-type", Kind::Choice(&["file", "gluster", "lvm-pv", "lvm-vg", "sharedfile"]), "STORAGE_TYPE", "kind of storage")
        .short('t');
pub const SYNC: Opt = Opt::flag("sync", "lock the nodes meanwhile");
pub const TARGET_GROUPS: Opt = Opt::value("target-groups", Kind::Text, "TEXT", "node groups to go to").many();
pub const TIMING_STATS: Opt = Opt::flag("timing-stats", "show how long it took");
pub const TRANSPORT_COMPRESSION: Opt =
    Opt::value("transport-compression", Kind::Text, "TEXT", "compression of the data on its way").default("none");
pub const VCPUS: Opt = Opt::value("vcpus", Kind::Int, "N", "virtual CPUs").short('p').default("1");
pub const VM_CAPABLE: Opt = Opt::value("vm-capable", Kind::YesNo, "yes|no", "whether the node can hold instances");
pub const WAITING: Opt = Opt::flag("waiting", "only jobs that wait for locks");
pub const ZEROING_TIMEOUT_FIXED: Opt =
    Opt::value("zeroing-timeout-fixed", Kind::Int, "N", "fixed part of the time allowed for zeroing, in seconds");
pub const ZEROING_TIMEOUT_PER_MIB: Opt =
    Opt::value("zeroing-timeout-per-mib", Kind::Float, "NUMBER", "seconds per MiB allowed for zeroing");
pub const ZERO_FREE_SPACE: Opt = Opt::flag("zero-free-space", "write zeros to the free space before the export");
/// Not in Ganeti, where every node is set up over SSH.
pub const SSH: Opt = Opt::flag("ssh", "run the join command on the node over SSH, as root");

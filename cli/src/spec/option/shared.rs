//! Options of several programs.

use crate::spec::{Kind, Opt};

pub const BACKEND_PARAMETERS: Opt = Opt::value(
    "backend-parameters",
    Kind::KeyVal,
    "KEY=VAL,...",
    "backend parameters: minmem, maxmem, vcpus, auto_balance, always_failover, spindle_use",
)
.short('B');
pub const COMPRESS: Opt = Opt::value("compress", Kind::Text, "TEXT", "compression of the data on its way").default("none");
pub const DISK: Opt = Opt::value(
    "disk",
    Kind::IdentKeyVal,
    "ID[:KEY=VAL,...]",
    "a disk: N:size=SIZE, further keys mode, vg, metavg, name, adopt, access, provider, spindles; may be given again",
)
.many();
pub const DISK_PARAMETERS: Opt = Opt::value(
    "disk-parameters",
    Kind::IdentKeyVal,
    "ID[:KEY=VAL,...]",
    "parameters of a disk template: TEMPLATE:key=value,...; may be given again",
)
.short('D')
.many();
pub const DISK_STATE: Opt =
    Opt::value("disk-state", Kind::IdentKeyVal, "ID[:KEY=VAL,...]", "reserved storage: TYPE/NAME:key=value,...; may be given again").many();
pub const DISK_TEMPLATE: Opt = Opt::value(
    "disk-template",
    Kind::Choice(&["blockdev", "diskless", "drbd", "ext", "file", "gluster", "plain", "rbd", "sharedfile"]),
    "TEMPL",
    "how the disks are stored",
)
.short('t');
pub const DRY_RUN: Opt = Opt::flag("dry-run", "check only: stop before anything is changed");
pub const EARLY_RELEASE: Opt = Opt::flag("early-release", "free the old storage before the new one is in sync");
pub const FILE_DRIVER: Opt =
    Opt::value("file-driver", Kind::Choice(&["blktap", "blktap2", "loop"]), "DRIVER", "how a Xen guest gets its file disks");
pub const FILE_STORAGE_DIR: Opt =
    Opt::value("file-storage-dir", Kind::Text, "DIR", "sub-directory, below the cluster's one, for the files of the disks");
pub const FILTER: Opt = Opt::flag("filter", "take the argument as a filter, also when it looks like a name").short('F');
pub const FORCE: Opt = Opt::flag("force", "do it although a check advises against it, and do not ask").short('f');
pub const FROM: Opt = Opt::value("from", Kind::Text, "TEXT", "read tags from this file, one a line (- is standard input)");
pub const HELPER_SHUTDOWN_TIMEOUT: Opt = Opt::value("helper-shutdown-timeout", Kind::Int, "N", "seconds the helper guest may take to stop");
pub const HELPER_STARTUP_TIMEOUT: Opt = Opt::value("helper-startup-timeout", Kind::Int, "N", "seconds the helper guest may take to start");
pub const HVPARAMS_APPEND: Opt = Opt::value(
    "hypervisor-parameters",
    Kind::IdentKeyVal,
    "ID[:KEY=VAL,...]",
    "parameters of one hypervisor: NAME:key=value,...; may be given again",
)
.short('H')
.many();
pub const HYPERVISOR: Opt =
    Opt::value("hypervisor-parameters", Kind::IdentKeyVal, "ID[:KEY=VAL,...]", "hypervisor, and parameters of it: NAME[:key=value,...]")
        .short('H');
pub const HYPERVISOR_STATE: Opt = Opt::value(
    "hypervisor-state",
    Kind::IdentKeyVal,
    "ID[:KEY=VAL,...]",
    "reserved resources: HYPERVISOR:key=value,...; may be given again",
)
.many();
pub const IALLOCATOR: Opt =
    Opt::value("iallocator", Kind::Text, "NAME", "let this instance allocator choose the nodes (\".\" for the default one)").short('I');
pub const IGNORE_CONSISTENCY: Opt = Opt::flag("ignore-consistency", "go on although a disk is not in sync");
pub const IGNORE_IPOLICY: Opt = Opt::flag("ignore-ipolicy", "accept a violation of the instance policy");
pub const IPOLICY_BOUNDS_SPECS: Opt =
    Opt::value("ipolicy-bounds-specs", Kind::Bounds, "SPECS", "instance policy: bounds, min:key=value,.../max:key=value,...[//...]");
pub const IPOLICY_DISK_TEMPLATES: Opt =
    Opt::value("ipolicy-disk-templates", Kind::List, "A,B,...", "instance policy: allowed disk templates, separated by commas");
pub const IPOLICY_SPINDLE_RATIO: Opt =
    Opt::value("ipolicy-spindle-ratio", Kind::MaybeFloat, "NUMBER|default", "instance policy: most spindles used per spindle");
pub const IPOLICY_VCPU_RATIO: Opt =
    Opt::value("ipolicy-vcpu-ratio", Kind::MaybeFloat, "NUMBER|default", "instance policy: most virtual CPUs per CPU");
pub const IP_CHECK: Opt = Opt::flag("ip-check", "refuse when something answers on the instance's address");
pub const MAC_PREFIX: Opt = Opt::value("mac-prefix", Kind::Text, "PREFIX", "first three bytes of MAC addresses, XX:XX:XX").short('m');
pub const MIGRATION_MODE: Opt = Opt::value("migration-mode", Kind::Choice(&["live", "non-live"]), "live|non-live", "how the guest moves");
pub const NAME_CHECK: Opt = Opt::flag("name-check", "refuse when the instance's name does not resolve");
pub const NET: Opt = Opt::value(
    "net",
    Kind::IdentKeyVal,
    "ID[:KEY=VAL,...]",
    "a network interface: N:link=...,mode=...,ip=...,mac=...,network=...,vlan=...,name=...; may be given again",
)
.many();
pub const NEW_SECONDARY: Opt = Opt::value("new-secondary", Kind::Text, "NODE", "new secondary node").short('n');
pub const NIC_PARAMETERS: Opt =
    Opt::value("nic-parameters", Kind::KeyVal, "KEY=VAL,...", "default parameters of network interfaces: mode, link, vlan").short('N');
pub const NODE: Opt = Opt::value("node", Kind::Text, "node", "the node").short('n');
pub const NODES: Opt = Opt::value("node", Kind::Text, "node", "only this node; may be given again").short('n').many();
pub const NODE_GROUP: Opt = Opt::value("node-group", Kind::Text, "nodegroup", "only nodes of this node group").short('g');
pub const NODE_PAIR: Opt =
    Opt::value("node", Kind::Text, "<pnode>[:<snode>]", "primary node, and the secondary one for mirrored disks").short('n');
pub const NODE_PARAMETERS: Opt = Opt::value(
    "node-parameters",
    Kind::KeyVal,
    "KEY=VAL,...",
    "node parameters: oob_program, spindle_count, exclusive_storage, ovs, ssh_port, cpu_speed...",
);
pub const NON_LIVE: Opt = Opt::flag("non-live", "stop the guest while it moves");
pub const NO_CONFLICTS_CHECK: Opt = Opt::flag("no-conflicts-check", "accept addresses that belong to a network");
pub const NO_HEADERS: Opt = Opt::flag("no-headers", "leave out the line of titles");
pub const NO_IP_CHECK: Opt = Opt::obsolete("no-ip-check", "obsolete, the address is not checked by default");
pub const NO_NAME_CHECK: Opt = Opt::obsolete("no-name-check", "obsolete, the name is not checked by default");
pub const NO_NICS: Opt = Opt::flag("no-nics", "give the instance no network interface");
pub const NO_RUNTIME_CHANGES: Opt = Opt::flag("no-runtime-changes", "do not change the guest's memory to make it fit");
pub const NO_SSH_KEY_CHECK: Opt = Opt::flag("no-ssh-key-check", "accept unknown SSH host keys");
pub const NO_WAIT_FOR_SYNC: Opt = Opt::flag("no-wait-for-sync", "do not wait until mirrored disks are in sync");
pub const OOB_TIMEOUT: Opt = Opt::value("oob-timeout", Kind::Int, "N", "seconds an out-of-band command may take").default("60");
pub const OPPORTUNISTIC_LOCKING: Opt = Opt::flag("opportunistic-locking", "let the allocator choose among nodes that are free right now");
pub const OS_PARAMETERS: Opt =
    Opt::value("os-parameters", Kind::KeyVal, "KEY=VAL,...", "parameters of the OS definition: key=value,...").short('O');
pub const OS_PARAMETERS_PRIVATE: Opt =
    Opt::value("os-parameters-private", Kind::KeyVal, "KEY=VAL,...", "OS parameters that are stored but never shown");
pub const OS_PARAMETERS_SECRET: Opt =
    Opt::value("os-parameters-secret", Kind::KeyVal, "KEY=VAL,...", "OS parameters that are neither stored nor shown");
pub const OS_SIZE: Opt = Opt::value("os-size", Kind::Unit, "size", "size of the only disk").short('s');
pub const OS_TYPE: Opt = Opt::value("os-type", Kind::Text, "os", "OS definition, with its variant: NAME[+VARIANT]").short('o');
pub const OUTPUT: Opt =
    Opt::value("output", Kind::Text, "FIELDS", "fields to show, separated by commas; +FIELDS adds to the usual ones").short('o');
pub const POWER_DELAY: Opt = Opt::value("power-delay", Kind::Float, "NUMBER", "seconds between powering on two nodes").default("2.0");
pub const PRINT_JOBID: Opt = Opt::flag("print-jobid", "print the job id first, then follow the job");
pub const PRIORITY: Opt = Opt::value("priority", Kind::Choice(&["low", "normal", "high"]), "low|normal|high", "how urgent the job is");
pub const ROMAN: Opt = Opt::flag("roman", "write numbers as Roman numerals");
pub const SECONDARY_IP: Opt =
    Opt::value("secondary-ip", Kind::Text, "ADDRESS", "address of the node in the replication network").short('s');
pub const SEPARATOR: Opt = Opt::value("separator", Kind::Text, "TEXT", "put this text between fields instead of aligning them");
pub const SHOW_MACHINE_NAMES: Opt = Opt::flag("show-machine-names", "prefix every line of output with the name of its node").short('M');
pub const SHUTDOWN_TIMEOUT: Opt = Opt::value("shutdown-timeout", Kind::Int, "N", "seconds a guest may take to shut down").default("120");
pub const SUBMIT: Opt = Opt::flag("submit", "submit the job, print its id and return at once");
pub const TAGS: Opt = Opt::value("tags", Kind::Text, "TEXT", "tags for the new object, separated by commas");
pub const TARGET_NODE: Opt = Opt::value("target-node", Kind::Text, "NODE", "node to go to").short('n');
pub const TO_GROUPS: Opt = Opt::value("to", Kind::Text, "group", "node group to go to; may be given again").many();
pub const UNITS: Opt = Opt::value("units", Kind::Choice(&["h", "m", "g", "t"]), "h|m|g|t", "unit of sizes: h fitting, m MiB, g GiB, t TiB");
pub const VERBOSE: Opt = Opt::flag("verbose", "say more").short('v');
pub const VERBOSE_STATUS: Opt = Opt::flag("verbose", "write (nodata), (unavail)... instead of signs").short('v');
pub const YES: Opt = Opt::flag("yes", "do not ask");
pub const YES_DO_IT_OR_YA_RLY: Opt = Opt::flag("yes-do-it", "confirm that this is really wanted").alias("ya-rly");

//! Options of `gnt-instance` only.

use crate::spec::{Kind, Opt};

pub const ABSOLUTE: Opt = Opt::flag("absolute", "the amount is the new size");
pub const ALLOW_FAILOVER: Opt = Opt::flag("allow-failover", "fail over when a migration is not possible");
pub const ALL_INSTANCES: Opt = Opt::flag("all", "show all instances");
pub const AUTO: Opt = Opt::flag("auto", "repair the disks that are faulty").short('a');
pub const CLEANUP: Opt = Opt::flag("cleanup", "find out how an interrupted move ended and repair the records");
pub const COMMIT: Opt = Opt::flag("commit", "carry out a forthcoming instance");
pub const COMMUNICATION: Opt = Opt::value("communication", Kind::YesNo, "yes|no", "whether the guest can talk to its node").short('c');
pub const DISKS: Opt = Opt::value("disks", Kind::Text, "TEXT", "positions of the disks, separated by commas (all)");
pub const EXT_PARAMS: Opt = Opt::value("ext-params", Kind::KeyVal, "KEY=VAL,...", "parameters of the storage provider").short('e');
pub const FORCE_MULTIPLE: Opt = Opt::flag("force-multiple", "do not ask although several instances are meant");
pub const FORCE_VARIANT: Opt = Opt::flag("force-variant", "accept an OS variant that the definition does not declare");
pub const FORTHCOMING: Opt = Opt::flag("forthcoming", "only reserve the resources");
pub const HVPARAMS: Opt =
    Opt::value("hypervisor-parameters", Kind::KeyVal, "KEY=VAL,...", "hypervisor parameters: key=value,...").short('H');
pub const IGNORE_FAILURES: Opt = Opt::flag("ignore-failures", "go on when something cannot be removed");
pub const IGNORE_HVVERSIONS: Opt = Opt::flag("ignore-hvversions", "accept other hypervisor versions");
pub const IGNORE_OFFLINE: Opt = Opt::flag("ignore-offline", "record the change although the primary node is offline");
pub const IGNORE_SECONDARIES: Opt = Opt::flag("ignore-secondaries", "go on although disks of secondary nodes do not come up");
pub const IGNORE_SIZE: Opt = Opt::flag("ignore-size", "do not compare the size of the disks with the recorded one");
pub const MULTI_ALL: Opt = Opt::flag("all", "all instances of the cluster");
pub const MULTI_INSTANCE: Opt = Opt::flag("instance", "the arguments are instances (default)");
pub const MULTI_NODE: Opt = Opt::flag("node", "the arguments are nodes: all their instances");
pub const MULTI_NODE_TAGS: Opt = Opt::flag("node-tags", "the arguments are tags of nodes");
pub const MULTI_PRIMARY: Opt = Opt::flag("primary", "the arguments are nodes: instances with them as primary");
pub const MULTI_PRI_NODE_TAGS: Opt = Opt::flag("pri-node-tags", "the arguments are tags of primary nodes");
pub const MULTI_SECONDARY: Opt = Opt::flag("secondary", "the arguments are nodes: instances with them as secondary");
pub const MULTI_SEC_NODE_TAGS: Opt = Opt::flag("sec-node-tags", "the arguments are tags of secondary nodes");
pub const MULTI_TAGS: Opt = Opt::flag("tags", "the arguments are tags of instances");
pub const NEW_PRIMARY: Opt = Opt::value("new-primary", Kind::Text, "node", "record this node as the primary one");
pub const NO_HOTPLUG: Opt = Opt::flag("no-hotplug", "change devices only at the next start");
pub const NO_INSTALL: Opt = Opt::flag("no-install", "do not run the scripts of the OS");
pub const NO_REMEMBER: Opt = Opt::flag("no-remember", "do not record the change as the wanted state");
pub const NO_START: Opt = Opt::flag("no-start", "do not start the instance");
pub const OFFLINE: Opt = Opt::flag("offline", "mark as offline: not to be started");
pub const ONLINE: Opt = Opt::flag("online", "take the offline mark back");
pub const ON_PRIMARY: Opt = Opt::flag("on-primary", "replace the disks of the primary node").short('p');
pub const ON_SECONDARY: Opt = Opt::flag("on-secondary", "replace the disks of the secondary node").short('s');
pub const PAUSED: Opt = Opt::flag("paused", "start the guest paused");
pub const RUNTIME_MEMORY: Opt = Opt::value("runtime-memory", Kind::Unit, "size", "memory the running guest has").short('m');
pub const SELECT_OS: Opt = Opt::flag("select-os", "choose the OS from a list");
pub const SHOW_CMD: Opt = Opt::flag("show-cmd", "print the command instead of running it");
pub const STATIC: Opt = Opt::flag("static", "do not ask the nodes").short('s');
pub const TIMEOUT: Opt = Opt::value("timeout", Kind::Int, "N", "seconds a guest may take to shut down").default("120");
pub const TYPE: Opt = Opt::value(
    "type",
    Kind::Choice(&["full", "hard", "soft"]),
    "REBOOT",
    "how: soft (by the guest), hard (by the hypervisor), full (stop and start)",
)
.short('t')
.default("hard");
pub const WAIT_FOR_SYNC: Opt = Opt::flag("wait-for-sync", "wait until the disks are in sync");

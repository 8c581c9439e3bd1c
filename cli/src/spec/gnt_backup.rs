//! What `gnt-backup` understands.

use super::option::*;
use super::{ArgKind, Positional, Program, SubCommand};

/// The program `gnt-backup`.
pub const PROGRAM: Program = Program { name: "gnt-backup", about: "exports of instances", commands: COMMANDS };

const COMMANDS: &[SubCommand] = &[
SubCommand { name: "export", aliases: &[], about: "export an instance to a node", args: &[Positional { kind: ArgKind::Instance, min: 1, max: Some(1), choices: &[] }], options: &[DRY_RUN, FORCE, IGNORE_REMOVE_FAILURES, LONG_SLEEP, NODE, NOSHUTDOWN, PRINT_JOBID, PRIORITY, REMOVE_INSTANCE, SHUTDOWN_TIMEOUT, SUBMIT, TRANSPORT_COMPRESSION, ZERO_FREE_SPACE, ZEROING_TIMEOUT_FIXED, ZEROING_TIMEOUT_PER_MIB], env_default: None },
SubCommand { name: "import", aliases: &[], about: "make an instance of an export", args: &[Positional { kind: ArgKind::Instance, min: 1, max: Some(1), choices: &[] }], options: &[BACKEND_PARAMETERS, COMPRESS, DISK, DISK_TEMPLATE, DRY_RUN, FILE_DRIVER, FILE_STORAGE_DIR, HELPER_SHUTDOWN_TIMEOUT, HELPER_STARTUP_TIMEOUT, HYPERVISOR, IALLOCATOR, IDENTIFY_DEFAULTS, IGNORE_IPOLICY, IP_CHECK, NAME_CHECK, NET, NO_CONFLICTS_CHECK, NO_IP_CHECK, NO_NAME_CHECK, NO_NICS, NO_WAIT_FOR_SYNC, NODE_PAIR, NODE_GROUP, OPPORTUNISTIC_LOCKING, OS_PARAMETERS, OS_PARAMETERS_PRIVATE, OS_PARAMETERS_SECRET, OS_SIZE, PRINT_JOBID, PRIORITY, SRC_DIR, SRC_NODE, SUBMIT, TAGS], env_default: None },
SubCommand { name: "list", aliases: &[], about: "list exports", args: &[], options: &[NO_HEADERS, NODES, OUTPUT, SEPARATOR, UNITS, VERBOSE_STATUS], env_default: None },
SubCommand { name: "list-fields", aliases: &[], about: "show the fields of list", args: &[Positional { kind: ArgKind::Text, min: 0, max: None, choices: &[] }], options: &[NO_HEADERS, SEPARATOR], env_default: None },
SubCommand { name: "remove", aliases: &[], about: "remove the exports of an instance", args: &[Positional { kind: ArgKind::Text, min: 1, max: Some(1), choices: &[] }], options: &[DRY_RUN, PRINT_JOBID, PRIORITY, SUBMIT], env_default: None },
];

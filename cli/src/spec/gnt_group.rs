//! What `gnt-group` understands.

use super::option::*;
use super::{ArgKind, Positional, Program, SubCommand};

/// The program `gnt-group`.
pub const PROGRAM: Program = Program { name: "gnt-group", about: "node groups", commands: COMMANDS };

const COMMANDS: &[SubCommand] = &[
SubCommand { name: "add", aliases: &[], about: "add a node group", args: &[Positional { kind: ArgKind::Group, min: 1, max: Some(1), choices: &[] }], options: &[ALLOC_POLICY, DISK_PARAMETERS, DISK_STATE, DRY_RUN, HYPERVISOR_STATE, IPOLICY_BOUNDS_SPECS, IPOLICY_DISK_TEMPLATES, IPOLICY_SPINDLE_RATIO, IPOLICY_VCPU_RATIO, NODE_PARAMETERS, PRINT_JOBID, PRIORITY, SUBMIT], env_default: None },
SubCommand { name: "add-tags", aliases: &[], about: "add tags", args: &[Positional { kind: ArgKind::Group, min: 1, max: Some(1), choices: &[] }, Positional { kind: ArgKind::Text, min: 0, max: None, choices: &[] }], options: &[FROM, PRINT_JOBID, PRIORITY, SUBMIT], env_default: None },
SubCommand { name: "assign-nodes", aliases: &[], about: "move nodes into a group", args: &[Positional { kind: ArgKind::Group, min: 1, max: Some(1), choices: &[] }, Positional { kind: ArgKind::Node, min: 0, max: None, choices: &[] }], options: &[DRY_RUN, FORCE, PRINT_JOBID, PRIORITY, SUBMIT], env_default: None },
SubCommand { name: "evacuate", aliases: &[], about: "move all instances to other groups", args: &[Positional { kind: ArgKind::Group, min: 1, max: Some(1), choices: &[] }], options: &[EARLY_RELEASE, FORCE_FAILOVER, IALLOCATOR, PRINT_JOBID, SEQUENTIAL, SUBMIT, TO_GROUPS], env_default: None },
SubCommand { name: "info", aliases: &[], about: "show node groups in full", args: &[Positional { kind: ArgKind::Group, min: 0, max: None, choices: &[] }], options: &[], env_default: None },
SubCommand { name: "list", aliases: &[], about: "list node groups", args: &[Positional { kind: ArgKind::Group, min: 0, max: None, choices: &[] }], options: &[FILTER, NO_HEADERS, OUTPUT, SEPARATOR, VERBOSE_STATUS], env_default: Some("GNT_GROUP_LIST") },
SubCommand { name: "list-fields", aliases: &[], about: "show the fields of list", args: &[Positional { kind: ArgKind::Text, min: 0, max: None, choices: &[] }], options: &[NO_HEADERS, SEPARATOR], env_default: None },
SubCommand { name: "list-tags", aliases: &[], about: "list tags", args: &[Positional { kind: ArgKind::Group, min: 1, max: Some(1), choices: &[] }], options: &[], env_default: None },
SubCommand { name: "modify", aliases: &[], about: "change a node group", args: &[Positional { kind: ArgKind::Group, min: 1, max: Some(1), choices: &[] }], options: &[ALLOC_POLICY, DISK_PARAMETERS, DISK_STATE, DRY_RUN, HYPERVISOR_STATE, IPOLICY_BOUNDS_SPECS, IPOLICY_DISK_TEMPLATES, IPOLICY_SPINDLE_RATIO, IPOLICY_VCPU_RATIO, NODE_PARAMETERS, PRINT_JOBID, PRIORITY, SUBMIT], env_default: None },
SubCommand { name: "remove", aliases: &[], about: "remove a node group", args: &[Positional { kind: ArgKind::Group, min: 1, max: Some(1), choices: &[] }], options: &[DRY_RUN, PRINT_JOBID, PRIORITY, SUBMIT], env_default: None },
SubCommand { name: "remove-tags", aliases: &[], about: "remove tags", args: &[Positional { kind: ArgKind::Group, min: 1, max: Some(1), choices: &[] }, Positional { kind: ArgKind::Text, min: 0, max: None, choices: &[] }], options: &[FROM, PRINT_JOBID, PRIORITY, SUBMIT], env_default: None },
SubCommand { name: "rename", aliases: &[], about: "rename a node group", args: &[Positional { kind: ArgKind::Group, min: 2, max: Some(2), choices: &[] }], options: &[DRY_RUN, PRINT_JOBID, PRIORITY, SUBMIT], env_default: None },
SubCommand { name: "show-ispecs-cmd", aliases: &[], about: "show the command that would set the present instance policy", args: &[Positional { kind: ArgKind::Group, min: 0, max: None, choices: &[] }], options: &[INCLUDE_DEFAULTS], env_default: None },
];

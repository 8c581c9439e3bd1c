//! What `gnt-os` understands.

use super::option::*;
use super::{ArgKind, Positional, Program, SubCommand};

/// The program `gnt-os`.
pub const PROGRAM: Program = Program { name: "gnt-os", about: "OS definitions", commands: COMMANDS };

const COMMANDS: &[SubCommand] = &[
    SubCommand {
        name: "diagnose",
        aliases: &[],
        about: "show where and how OS definitions are found",
        args: &[],
        options: &[PRIORITY],
        env_default: None,
    },
    SubCommand {
        name: "info",
        aliases: &["show"],
        about: "show OS definitions in full",
        args: &[Positional { kind: ArgKind::Os, min: 0, max: None, choices: &[] }],
        options: &[PRIORITY],
        env_default: None,
    },
    SubCommand { name: "list", aliases: &[], about: "list OS definitions", args: &[], options: &[NO_HEADERS, PRIORITY], env_default: None },
    SubCommand {
        name: "modify",
        aliases: &[],
        about: "change settings of an OS definition",
        args: &[Positional { kind: ArgKind::Os, min: 1, max: Some(1), choices: &[] }],
        options: &[BLACKLISTED, DRY_RUN, HIDDEN, HVPARAMS_APPEND, OS_PARAMETERS, OS_PARAMETERS_PRIVATE, PRINT_JOBID, PRIORITY, SUBMIT],
        env_default: None,
    },
];

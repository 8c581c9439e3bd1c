//! What `gnt-filter` understands.

use super::option::*;
use super::{ArgKind, Positional, Program, SubCommand};

/// The program `gnt-filter`.
pub const PROGRAM: Program = Program { name: "gnt-filter", about: "rules for the job queue", commands: COMMANDS };

const COMMANDS: &[SubCommand] = &[
    SubCommand {
        name: "add",
        aliases: &[],
        about: "add a rule",
        args: &[],
        options: &[ACTION, PREDICATES, FILTER_PRIORITY],
        env_default: None,
    },
    SubCommand {
        name: "delete",
        aliases: &[],
        about: "remove a rule",
        args: &[Positional { kind: ArgKind::Filter, min: 1, max: Some(1), choices: &[] }],
        options: &[],
        env_default: None,
    },
    SubCommand {
        name: "info",
        aliases: &[],
        about: "show rules in full",
        args: &[Positional { kind: ArgKind::Filter, min: 0, max: None, choices: &[] }],
        options: &[],
        env_default: None,
    },
    SubCommand {
        name: "list",
        aliases: &[],
        about: "list rules",
        args: &[Positional { kind: ArgKind::Filter, min: 0, max: None, choices: &[] }],
        options: &[NO_HEADERS, OUTPUT, SEPARATOR, VERBOSE_STATUS],
        env_default: None,
    },
    SubCommand {
        name: "list-fields",
        aliases: &[],
        about: "show the fields of list",
        args: &[Positional { kind: ArgKind::Text, min: 0, max: None, choices: &[] }],
        options: &[NO_HEADERS, SEPARATOR],
        env_default: None,
    },
    SubCommand {
        name: "replace",
        aliases: &[],
        about: "replace a rule",
        args: &[Positional { kind: ArgKind::Filter, min: 1, max: Some(1), choices: &[] }],
        options: &[ACTION, PREDICATES, FILTER_PRIORITY],
        env_default: None,
    },
];

//! What `gnt-storage` understands.

use super::option::*;
use super::{ArgKind, Positional, Program, SubCommand};

/// The program `gnt-storage`.
pub const PROGRAM: Program = Program { name: "gnt-storage", about: "storage providers", commands: COMMANDS };

const COMMANDS: &[SubCommand] = &[
    SubCommand {
        name: "diagnose",
        aliases: &[],
        about: "show where and how providers are found",
        args: &[],
        options: &[PRIORITY],
        env_default: None,
    },
    SubCommand {
        name: "info",
        aliases: &[],
        about: "show providers in full",
        args: &[Positional { kind: ArgKind::Os, min: 0, max: None, choices: &[] }],
        options: &[PRIORITY],
        env_default: None,
    },
];

//! What `gnt-job` understands.

use super::option::*;
use super::{ArgKind, Positional, Program, SubCommand};

/// The program `gnt-job`.
pub const PROGRAM: Program = Program { name: "gnt-job", about: "the job queue", commands: COMMANDS };

const COMMANDS: &[SubCommand] = &[
    SubCommand {
        name: "archive",
        aliases: &[],
        about: "archive ended jobs",
        args: &[Positional { kind: ArgKind::JobId, min: 1, max: None, choices: &[] }],
        options: &[],
        env_default: None,
    },
    SubCommand {
        name: "autoarchive",
        aliases: &[],
        about: "archive jobs that ended some time ago",
        args: &[Positional { kind: ArgKind::Suggest, min: 1, max: Some(1), choices: &["1d", "1w", "4w", "all"] }],
        options: &[],
        env_default: None,
    },
    SubCommand {
        name: "cancel",
        aliases: &[],
        about: "cancel jobs",
        args: &[Positional { kind: ArgKind::JobId, min: 0, max: None, choices: &[] }],
        options: &[FORCE, KILL, PENDING, QUEUED, WAITING, YES_DO_IT_OR_YA_RLY],
        env_default: None,
    },
    SubCommand {
        name: "change-priority",
        aliases: &[],
        about: "change how urgent jobs are",
        args: &[Positional { kind: ArgKind::JobId, min: 0, max: None, choices: &[] }],
        options: &[FORCE, PENDING, PRIORITY, QUEUED, WAITING],
        env_default: None,
    },
    SubCommand {
        name: "info",
        aliases: &["show"],
        about: "show jobs in full",
        args: &[Positional { kind: ArgKind::JobId, min: 1, max: None, choices: &[] }],
        options: &[],
        env_default: None,
    },
    SubCommand {
        name: "list",
        aliases: &[],
        about: "list jobs",
        args: &[Positional { kind: ArgKind::JobId, min: 0, max: None, choices: &[] }],
        options: &[ARCHIVED, ERROR, FILTER, FINISHED, NO_HEADERS, OUTPUT, PENDING, RUNNING, SEPARATOR, VERBOSE_STATUS],
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
        name: "wait",
        aliases: &[],
        about: "wait until a job ends",
        args: &[Positional { kind: ArgKind::JobId, min: 1, max: Some(1), choices: &[] }],
        options: &[],
        env_default: None,
    },
    SubCommand {
        name: "watch",
        aliases: &[],
        about: "follow a job",
        args: &[Positional { kind: ArgKind::JobId, min: 1, max: Some(1), choices: &[] }],
        options: &[],
        env_default: None,
    },
];

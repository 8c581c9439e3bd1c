//! What `gnt-debug` understands.

use super::option::*;
use super::{ArgKind, Positional, Program, SubCommand};

/// The program `gnt-debug`.
pub const PROGRAM: Program = Program { name: "gnt-debug", about: "tests of the daemons", commands: COMMANDS };

const COMMANDS: &[SubCommand] = &[
    SubCommand {
        name: "delay",
        aliases: &[],
        about: "a job that only waits",
        args: &[Positional { kind: ArgKind::Text, min: 1, max: Some(1), choices: &[] }],
        options: &[DRY_RUN, INTERRUPTIBLE, NO_LOCKS, NO_MASTER, PRINT_JOBID, PRIORITY, REPEAT, SUBMIT, ON_NODES],
        env_default: None,
    },
    SubCommand {
        name: "iallocator",
        aliases: &["allocator"],
        about: "test an instance allocator",
        args: &[Positional { kind: ArgKind::Text, min: 1, max: None, choices: &[] }],
        options: &[
            COUNT,
            DIR,
            DISK_TEMPLATE,
            ALLOCATOR_DISKS,
            DRY_RUN,
            EVAC_MODE,
            IALLOCATOR,
            MEMORY,
            MODE,
            NICS,
            OS_TYPE,
            PRIORITY,
            SPINDLE_USE,
            TAGS,
            TARGET_GROUPS,
            VCPUS,
        ],
        env_default: None,
    },
    SubCommand {
        name: "locks",
        aliases: &[],
        about: "show locks",
        args: &[],
        options: &[INTERVAL, NO_HEADERS, OUTPUT, SEPARATOR, VERBOSE_STATUS],
        env_default: None,
    },
    SubCommand {
        name: "metad",
        aliases: &[],
        about: "talk to the metadata daemon",
        args: &[Positional { kind: ArgKind::Text, min: 1, max: None, choices: &[] }],
        options: &[],
        env_default: None,
    },
    SubCommand {
        name: "submit-job",
        aliases: &[],
        about: "submit jobs from files",
        args: &[Positional { kind: ArgKind::File, min: 1, max: None, choices: &[] }],
        options: &[DRY_RUN, EACH, JOB_REPEAT, OP_REPEAT, PRIORITY, TIMING_STATS, VERBOSE],
        env_default: None,
    },
    SubCommand { name: "test-jobqueue", aliases: &[], about: "test the job queue", args: &[], options: &[PRIORITY], env_default: None },
    SubCommand {
        name: "test-osparams",
        aliases: &[],
        about: "test secret OS parameters",
        args: &[],
        options: &[OS_PARAMETERS_SECRET, PRINT_JOBID, SUBMIT],
        env_default: None,
    },
    SubCommand {
        name: "wconfd",
        aliases: &[],
        about: "talk to the configuration daemon",
        args: &[Positional { kind: ArgKind::Text, min: 1, max: None, choices: &[] }],
        options: &[],
        env_default: None,
    },
];

//! What `gnt-network` understands.

use super::option::*;
use super::{ArgKind, Positional, Program, SubCommand};

/// The program `gnt-network`.
pub const PROGRAM: Program = Program { name: "gnt-network", about: "networks: pools of addresses", commands: COMMANDS };

const COMMANDS: &[SubCommand] = &[
    SubCommand {
        name: "add",
        aliases: &[],
        about: "add a network",
        args: &[Positional { kind: ArgKind::Network, min: 1, max: Some(1), choices: &[] }],
        options: &[
            ADD_RESERVED_IPS,
            DRY_RUN,
            GATEWAY,
            GATEWAY6,
            MAC_PREFIX,
            NETWORK,
            NETWORK6,
            NO_CONFLICTS_CHECK,
            PRINT_JOBID,
            PRIORITY,
            SUBMIT,
            TAGS,
        ],
        env_default: None,
    },
    SubCommand {
        name: "add-tags",
        aliases: &[],
        about: "add tags",
        args: &[
            Positional { kind: ArgKind::Network, min: 1, max: Some(1), choices: &[] },
            Positional { kind: ArgKind::Text, min: 0, max: None, choices: &[] },
        ],
        options: &[FROM, PRINT_JOBID, PRIORITY, SUBMIT],
        env_default: None,
    },
    SubCommand {
        name: "connect",
        aliases: &[],
        about: "connect a network to node groups",
        args: &[
            Positional { kind: ArgKind::Network, min: 1, max: Some(1), choices: &[] },
            Positional { kind: ArgKind::Group, min: 0, max: None, choices: &[] },
        ],
        options: &[NIC_PARAMETERS, NO_CONFLICTS_CHECK, PRIORITY],
        env_default: None,
    },
    SubCommand {
        name: "disconnect",
        aliases: &[],
        about: "disconnect a network from node groups",
        args: &[
            Positional { kind: ArgKind::Network, min: 1, max: Some(1), choices: &[] },
            Positional { kind: ArgKind::Group, min: 0, max: None, choices: &[] },
        ],
        options: &[PRIORITY],
        env_default: None,
    },
    SubCommand {
        name: "info",
        aliases: &[],
        about: "show networks in full",
        args: &[Positional { kind: ArgKind::Network, min: 0, max: None, choices: &[] }],
        options: &[],
        env_default: None,
    },
    SubCommand {
        name: "list",
        aliases: &[],
        about: "list networks",
        args: &[Positional { kind: ArgKind::Network, min: 0, max: None, choices: &[] }],
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
        name: "list-tags",
        aliases: &[],
        about: "list tags",
        args: &[Positional { kind: ArgKind::Network, min: 1, max: Some(1), choices: &[] }],
        options: &[],
        env_default: None,
    },
    SubCommand {
        name: "modify",
        aliases: &[],
        about: "change a network",
        args: &[Positional { kind: ArgKind::Network, min: 1, max: Some(1), choices: &[] }],
        options: &[ADD_RESERVED_IPS, DRY_RUN, GATEWAY, GATEWAY6, MAC_PREFIX, NETWORK6, PRINT_JOBID, PRIORITY, REMOVE_RESERVED_IPS, SUBMIT],
        env_default: None,
    },
    SubCommand {
        name: "remove",
        aliases: &[],
        about: "remove a network",
        args: &[Positional { kind: ArgKind::Network, min: 1, max: Some(1), choices: &[] }],
        options: &[DRY_RUN, FORCE, PRINT_JOBID, PRIORITY, SUBMIT],
        env_default: None,
    },
    SubCommand {
        name: "remove-tags",
        aliases: &[],
        about: "remove tags",
        args: &[
            Positional { kind: ArgKind::Network, min: 1, max: Some(1), choices: &[] },
            Positional { kind: ArgKind::Text, min: 0, max: None, choices: &[] },
        ],
        options: &[FROM, PRINT_JOBID, PRIORITY, SUBMIT],
        env_default: None,
    },
    SubCommand {
        name: "rename",
        aliases: &[],
        about: "rename a network",
        args: &[Positional { kind: ArgKind::Group, min: 2, max: Some(2), choices: &[] }],
        options: &[DRY_RUN, PRINT_JOBID, PRIORITY, SUBMIT],
        env_default: None,
    },
];

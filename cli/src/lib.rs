//! The command line tools: one program `gnt` that answers to `gnt-cluster`, `gnt-instance`, … by its name, or by its first argument.
//!
//! ```text
//!   argv ─ spec (tables) ─ command (clap) ─► Args ─► gnt_*/ sub-command ─► opcode ─► wait ─► exit
//!                                                         │                   (job log, result)
//!                                                         └► table, yaml (queries)
//! ```
//!
//! Nothing here decides anything about the cluster: the master daemon does. No asynchronous runtime and no regular expression is
//! touched at start, so that `--help` takes milliseconds.

#![forbid(unsafe_code)]

pub mod args;
pub mod command;
pub mod confirm;
pub mod context;
pub mod daemon_util;
pub mod environment;
pub mod exit;
pub mod io;
pub mod log;
pub mod parse;
pub mod roman;
pub mod spec;
pub mod table;
pub mod tags;
pub mod time;
pub mod wait;
pub mod yaml;

mod gnt_backup;
mod gnt_cluster;
mod gnt_debug;
mod gnt_filter;
mod gnt_group;
mod gnt_instance;
mod gnt_job;
mod gnt_network;
mod gnt_node;
mod gnt_os;
mod gnt_storage;
mod help;
mod policy;

use std::path::Path;

use command::Stop;
use context::{Context, Run};
use environment::Environment;
use exit::{BAD_OPTION, FAILURE, Failure, SUCCESS};
use io::Io;
use spec::{Program, SubCommand};

/// Runs a command line, the program's name first; gives the exit code.
pub fn run(argv: &[String], io: &mut Io, env: &Environment) -> u8 {
    let called = argv.first().map_or("gnt", |name| Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or("gnt"));
    let words = argv.get(1..).unwrap_or_default();
    let code = match (called, words.split_first()) {
        ("daemon-util", _) => daemon_util::main(words, io, env),
        (name, _) if Program::find(name).is_some_and(|program| program.name == name) => dispatch(name, words, io, env),
        (_, Some((first, rest))) if first == "daemon-util" => daemon_util::main(rest, io, env),
        (_, Some((first, rest))) if Program::find(first).is_some() => dispatch(first, rest, io, env),
        (_, first) => help::gnt(first.map(|(word, _)| word.as_str()), io),
    };
    io.flush();
    code
}

fn dispatch(program: &str, words: &[String], io: &mut Io, env: &Environment) -> u8 {
    let Some(program) = Program::find(program) else { return FAILURE };
    let Some((name, rest)) = words.split_first() else {
        io.line(help::program(program));
        return FAILURE;
    };
    match program.command(name) {
        Some(command) => run_command(program, command, rest, io, env),
        None => help::instead_of_command(program, name, io),
    }
}

fn run_command(program: &'static Program, command: &'static SubCommand, words: &[String], io: &mut Io, env: &Environment) -> u8 {
    let mut all = command.env_default.map(|variable| env.arguments_for(variable)).unwrap_or_default();
    all.extend_from_slice(words);
    let args = match command::parse(program, command, &all) {
        Ok(args) => args,
        Err(Stop::Help(text)) => {
            io.raw(text.as_bytes());
            return SUCCESS;
        }
        Err(Stop::BadOption(text)) => {
            io.note(text);
            return BAD_OPTION;
        }
        Err(Stop::BadArguments(text)) => {
            io.note(text);
            return FAILURE;
        }
    };
    for option in command.options.iter().filter(|option| option.kind == spec::Kind::Obsolete && args.flag(option.id())) {
        io.note(format_args!("Warning: {} is obsolete and has no effect: {}", option.typed(), option.help));
    }
    let mut context = Context::new(program, command, args, io, env);
    let outcome = match built(program, command) {
        Some(built) => built.run(&mut context),
        None => Err(Failure::NotYet(format!("`{}`", context.full_name()))),
    };
    if context.env.tell_unread {
        for option in context.args.unread() {
            context.io.note(format_args!("unread option {option}"));
        }
    }
    outcome.unwrap_or_else(|failure| {
        if let Some(message) = failure.message() {
            context.io.note(message);
        }
        failure.code()
    })
}

/// A sub-command that does something.
#[derive(Debug, Clone, Copy)]
pub struct Built {
    run: Run,
    /// Options that are part of Ganeti but not of this version; they are refused by name.
    missing: &'static [&'static str],
}

impl Built {
    const fn new(run: Run) -> Self {
        Self { run, missing: &[] }
    }

    const fn without(self, missing: &'static [&'static str]) -> Self {
        Self { missing, ..self }
    }

    /// Options that are refused.
    #[must_use]
    pub fn missing(&self) -> &'static [&'static str] {
        self.missing
    }

    fn run(self, context: &mut Context<'_>) -> context::Outcome {
        match self.missing.iter().find(|option| context.args.given(option)) {
            Some(option) => Err(Failure::NotYet(format!("`{} --{option}`", context.full_name()))),
            None => (self.run)(context),
        }
    }
}

/// What carries a sub-command out; `None` when this version cannot.
#[must_use]
pub fn built(program: &Program, command: &SubCommand) -> Option<Built> {
    match program.name {
        "gnt-backup" => gnt_backup::built(command.name),
        "gnt-cluster" => gnt_cluster::built(command.name),
        "gnt-debug" => gnt_debug::built(command.name),
        "gnt-filter" => gnt_filter::built(command.name),
        "gnt-group" => gnt_group::built(command.name),
        "gnt-instance" => gnt_instance::built(command.name),
        "gnt-job" => gnt_job::built(command.name),
        "gnt-network" => gnt_network::built(command.name),
        "gnt-node" => gnt_node::built(command.name),
        "gnt-os" => gnt_os::built(command.name),
        "gnt-storage" => gnt_storage::built(command.name),
        _ => None,
    }
}

/// `--hypervisor-parameters kvm:a=1 --hypervisor-parameters fake:b=2` as one object; `None` when nothing was given.
///
/// # Errors
/// A group is switched off, or comes twice.
fn groups_of_params(args: &args::Args, id: &str) -> Result<Option<serde_json::Value>, Failure> {
    let idents = args.idents(id);
    let mut groups = parse::Dict::new();
    for ident in &idents {
        let parse::IdentValue::Params(params) = &ident.value else {
            return Err(Failure::BadOption(format!("--{id}: '{}' needs parameters", ident.name)));
        };
        if groups.insert(ident.name.clone(), serde_json::Value::Object(params.clone())).is_some() {
            return Err(Failure::BadOption(format!("--{id}: '{}' is given twice", ident.name)));
        }
    }
    Ok((!idents.is_empty()).then_some(serde_json::Value::Object(groups)))
}

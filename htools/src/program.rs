//! The tools: one program that is called by several names.
//!
//! A tool is a function of its [`Options`] and its [`Io`]; it gives back nothing or a [`Failure`]. What it prints is the
//! reference's, byte by byte, where scripts could read it.

mod backend;
mod commands;
mod failure;
mod hail;
mod harep;
mod hbal;
mod hcheck;
mod hinfo;
mod hroller;
mod hscan;
mod hspace;
mod hsqueeze;
mod io;
mod keys;
pub mod option;
mod output;
mod source;

pub use failure::Failure;
pub use io::Io;
pub use option::Options;
pub use source::{Prepared, load};

use option::Parsed;

/// A tool: its name, what it is for, its options and its code.
pub struct Tool {
    /// The name that it is called by.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub about: &'static str,
    /// Long names of its options, in the order of its help.
    pub options: &'static [&'static str],
    /// What kinds of arguments it takes besides options.
    pub arguments: option::Arguments,
    run: Run,
}

type Run = fn(&Options, &[String], &mut Io<'_>) -> Result<(), Failure>;

/// All tools.
pub const TOOLS: &[Tool] = &[
    Tool {
        name: "hail",
        about: "places and moves instances: the allocator that Ganeti's iallocator interface asks",
        options: option::list::HAIL,
        arguments: option::Arguments::OneFile,
        run: hail::run,
    },
    Tool {
        name: "harep",
        about: "repairs instances by themselves, as far as their tags allow it",
        options: option::list::HAREP,
        arguments: option::Arguments::None,
        run: harep::run,
    },
    Tool {
        name: "hbal",
        about: "finds moves of instances that make a cluster more even",
        options: option::list::HBAL,
        arguments: option::Arguments::None,
        run: hbal::run,
    },
    Tool {
        name: "hcheck",
        about: "says whether a cluster is healthy, and whether balancing would help",
        options: option::list::HCHECK,
        arguments: option::Arguments::None,
        run: hcheck::run,
    },
    Tool {
        name: "hinfo",
        about: "shows a cluster with its score",
        options: option::list::HINFO,
        arguments: option::Arguments::None,
        run: hinfo::run,
    },
    Tool {
        name: "hroller",
        about: "finds sets of nodes that can be rebooted together",
        options: option::list::HROLLER,
        arguments: option::Arguments::None,
        run: hroller::run,
    },
    Tool {
        name: "hscan",
        about: "saves clusters as files that the other tools read",
        options: option::list::HSCAN,
        arguments: option::Arguments::Hosts,
        run: hscan::run,
    },
    Tool {
        name: "hspace",
        about: "counts the instances that still fit into a cluster",
        options: option::list::HSPACE,
        arguments: option::Arguments::None,
        run: hspace::run,
    },
    Tool {
        name: "hsqueeze",
        about: "finds nodes that can be powered off, or must be powered on",
        options: option::list::HSQUEEZE,
        arguments: option::Arguments::None,
        run: hsqueeze::run,
    },
];

/// Runs the tool of that name and gives back its exit code: 0, 1 for bad data and refusals, 2 for a wrong command line.
pub fn run(name: &str, arguments: &[String], io: &mut Io<'_>) -> u8 {
    let Some(tool) = TOOLS.iter().find(|tool| tool.name == name) else {
        return end(unknown(name), io);
    };
    match option::parse(tool, arguments) {
        Parsed::Run(options, rest) => end((tool.run)(&options, &rest, io), io),
        Parsed::Say(text) => end(io.say(&text), io),
        Parsed::Refuse { code, text } => {
            io.complain(&text);
            code
        }
    }
}

fn end(result: Result<(), Failure>, io: &mut Io<'_>) -> u8 {
    match result {
        Ok(()) => 0,
        Err(failure) => failure.report(io),
    }
}

fn unknown(name: &str) -> Result<(), Failure> {
    let names: Vec<String> = TOOLS.iter().map(|tool| format!(" {:8} - {}", tool.name, tool.about)).collect();
    Err(Failure::plain(format!(
        "Unrecognised personality '{name}'.\nThis program must be installed under one of the following names:\n{}\n\
         Error: Please either rename/symlink the program or set\nthe environment variable HTOOLS to the desired role.\n",
        names.join("\n")
    )))
}

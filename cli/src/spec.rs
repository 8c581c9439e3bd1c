//! What the command line understands, as data: programs, sub-commands, arguments and options, with Ganeti's names.
//!
//! The tables say nothing about behaviour; `gnt_*` modules do. Parser, help, manual pages and shell completion come from here.

pub mod gnt_backup;
pub mod gnt_cluster;
pub mod gnt_debug;
pub mod gnt_filter;
pub mod gnt_group;
pub mod gnt_instance;
pub mod gnt_job;
pub mod gnt_network;
pub mod gnt_node;
pub mod gnt_os;
pub mod gnt_storage;
pub mod option;

/// Every program, sorted by name.
pub const PROGRAMS: [&Program; 11] = [
    &gnt_backup::PROGRAM,
    &gnt_cluster::PROGRAM,
    &gnt_debug::PROGRAM,
    &gnt_filter::PROGRAM,
    &gnt_group::PROGRAM,
    &gnt_instance::PROGRAM,
    &gnt_job::PROGRAM,
    &gnt_network::PROGRAM,
    &gnt_node::PROGRAM,
    &gnt_os::PROGRAM,
    &gnt_storage::PROGRAM,
];

/// One of the `gnt-*` programs.
#[derive(Debug)]
pub struct Program {
    /// E.g. `gnt-instance`.
    pub name: &'static str,
    /// What it is about, in a few words.
    pub about: &'static str,
    /// Its sub-commands, sorted.
    pub commands: &'static [SubCommand],
}

impl Program {
    /// The program of this name, with or without the leading `gnt-`.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        PROGRAMS.into_iter().find(|program| program.name == name || program.name.strip_prefix("gnt-") == Some(name))
    }

    /// The sub-command of this name or alias.
    #[must_use]
    pub fn command(&self, name: &str) -> Option<&'static SubCommand> {
        self.commands.iter().find(|command| command.name == name || command.aliases.contains(&name))
    }
}

/// A sub-command, e.g. `gnt-instance startup`.
#[derive(Debug)]
pub struct SubCommand {
    /// Its name.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it does, in a few words.
    pub about: &'static str,
    /// Its positional arguments; only the last may be unlimited.
    pub args: &'static [Positional],
    /// Its options, without the ones that all have.
    pub options: &'static [Opt],
    /// Environment variable with arguments to put before the given ones.
    pub env_default: Option<&'static str>,
}

impl SubCommand {
    /// The option with this id, also among those that all sub-commands have.
    #[must_use]
    pub fn option(&self, id: &str) -> Option<&'static Opt> {
        self.options.iter().chain(COMMON).find(|option| option.id() == id)
    }
}

/// Options of every sub-command, besides `--help`.
pub const COMMON: &[Opt] = &[
    Opt { repeats: true, ..Opt::flag("debug", "say more about what goes on; may be given again").short('d') },
    Opt::value("reason", Kind::Text, "TEXT", "why this is done; recorded with the job").many(),
];

/// What an argument names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgKind {
    Choice,
    Command,
    File,
    Filter,
    Group,
    Host,
    Instance,
    JobId,
    Network,
    Node,
    Os,
    Suggest,
    Text,
    ExtStorage,
}

/// A positional argument.
#[derive(Debug, Clone, Copy)]
pub struct Positional {
    /// What it names.
    pub kind: ArgKind,
    /// How many there must be.
    pub min: usize,
    /// How many there may be; `None` means any number.
    pub max: Option<usize>,
    /// For [`ArgKind::Choice`] all values, for [`ArgKind::Suggest`] examples.
    pub choices: &'static [&'static str],
}

impl Positional {
    /// The word that stands for it in usage lines.
    #[must_use]
    pub fn word(&self) -> String {
        match self.kind {
            ArgKind::Choice => format!("{{{}}}", self.choices.join("|")),
            ArgKind::Command => "COMMAND".into(),
            ArgKind::File => "FILE".into(),
            ArgKind::Filter => "FILTER".into(),
            ArgKind::Group => "GROUP".into(),
            ArgKind::Host => "NAME".into(),
            ArgKind::Instance => "INSTANCE".into(),
            ArgKind::JobId => "JOB".into(),
            ArgKind::Network => "NETWORK".into(),
            ArgKind::Node => "NODE".into(),
            ArgKind::Os => "OS".into(),
            ArgKind::ExtStorage => "PROVIDER".into(),
            ArgKind::Suggest | ArgKind::Text => "ARG".into(),
        }
    }

    /// How it appears in usage lines: `INSTANCE`, `[NODE...]`.
    #[must_use]
    pub fn usage(&self) -> String {
        let word = self.word();
        match (self.min, self.max) {
            (0, Some(1)) => format!("[{word}]"),
            (0, _) => format!("[{word}...]"),
            (1, Some(1)) => word,
            (count, Some(max)) if count == max => vec![word; count].join(" "),
            _ => format!("{word}..."),
        }
    }
}

/// The form of an option's value (`qa/parity/cli.json`: option_types).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No value.
    Flag,
    /// No value and no effect any more.
    Obsolete,
    Text,
    Int,
    Float,
    /// A size in MiB, with or without unit.
    Unit,
    YesNo,
    KeyVal,
    IdentKeyVal,
    /// Groups of minimum and maximum sizes.
    Bounds,
    List,
    MaybeFloat,
    Json,
    FilterAction,
    Choice(&'static [&'static str]),
}

/// An option.
#[derive(Debug, Clone, Copy)]
pub struct Opt {
    /// Its name without dashes; empty when it has only a letter.
    pub long: &'static str,
    /// Its letter.
    pub short: Option<char>,
    /// Another long name.
    pub alias: Option<&'static str>,
    /// The form of its value.
    pub kind: Kind,
    /// What stands for the value in the help.
    pub metavar: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// Whether it collects a list when given again; otherwise the last one counts.
    pub repeats: bool,
    /// The value when it is not given.
    pub default: Option<&'static str>,
}

impl Opt {
    /// An option without value.
    #[must_use]
    pub const fn flag(long: &'static str, help: &'static str) -> Self {
        Self { long, short: None, alias: None, kind: Kind::Flag, metavar: "", help, repeats: false, default: None }
    }

    /// An option that is still accepted, with a warning.
    #[must_use]
    pub const fn obsolete(long: &'static str, help: &'static str) -> Self {
        Self { kind: Kind::Obsolete, ..Self::flag(long, help) }
    }

    /// An option with a value.
    #[must_use]
    pub const fn value(long: &'static str, kind: Kind, metavar: &'static str, help: &'static str) -> Self {
        Self { kind, metavar, ..Self::flag(long, help) }
    }

    /// With a letter.
    #[must_use]
    pub const fn short(self, letter: char) -> Self {
        Self { short: Some(letter), ..self }
    }

    /// With another name.
    #[must_use]
    pub const fn alias(self, name: &'static str) -> Self {
        Self { alias: Some(name), ..self }
    }

    /// May be given several times.
    #[must_use]
    pub const fn many(self) -> Self {
        Self { repeats: true, ..self }
    }

    /// With a value when it is not given.
    #[must_use]
    pub const fn default(self, value: &'static str) -> Self {
        Self { default: Some(value), ..self }
    }

    /// The key under which its value is found: the long name, or the letter.
    #[must_use]
    pub fn id(&self) -> &'static str {
        // The only option without a long name is `-n` of `gnt-debug delay`.
        if self.long.is_empty() { "n" } else { self.long }
    }

    /// Its name as typed: `--force`, `-n`.
    #[must_use]
    pub fn typed(&self) -> String {
        if self.long.is_empty() { format!("-{}", self.id()) } else { format!("--{}", self.long) }
    }

    /// Whether it takes a value.
    #[must_use]
    pub fn takes_value(&self) -> bool {
        !matches!(self.kind, Kind::Flag | Kind::Obsolete)
    }
}

//! From the tables in [`crate::spec`] to clap's commands, and from a command line to [`Args`].

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

use crate::args::Args;
use crate::parse::parse_value;
use crate::spec::{ArgKind, COMMON, Kind, Opt, Program, SubCommand};

/// Why a command line is not carried out.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// The help was asked for: text for standard output.
    Help(String),
    /// A mistake in the options (exit code 2): text for standard error.
    BadOption(String),
    /// Too many or too few arguments (exit code 1): text for standard error.
    BadArguments(String),
}

/// The clap command of a whole program, for manual pages and shell completion.
#[must_use]
pub fn program(program: &'static Program) -> Command {
    let commands = program.commands.iter().map(|command| sub_command(program, command));
    Command::new(program.name).about(program.about).subcommand_required(true).subcommands(commands)
}

/// The clap command of one sub-command.
#[must_use]
pub fn sub_command(program: &Program, command: &'static SubCommand) -> Command {
    let mut clap = Command::new(command.name)
        .bin_name(format!("{} {}", program.name, command.name))
        .about(command.about)
        .override_usage(usage(program, command))
        .visible_aliases(command.aliases)
        .args_override_self(true)
        .infer_long_args(true)
        .disable_version_flag(true)
        .disable_help_flag(true)
        .max_term_width(120)
        .arg(Arg::new("help").short('h').long("help").help("print this help").action(ArgAction::HelpShort))
        .args(command.options.iter().chain(COMMON).map(option));
    if !command.args.is_empty() {
        clap = clap.arg(positional());
    }
    if let Some(arg) = command.args.iter().find(|arg| arg.kind == ArgKind::Suggest) {
        clap = clap.after_help(format!("ARG is for example {}.", arg.choices.join(", ")));
    }
    clap
}

/// Reads the options and arguments of `command`.
///
/// # Errors
/// [`Stop`].
pub fn parse(program: &Program, command: &'static SubCommand, words: &[String]) -> Result<Args, Stop> {
    let clap = sub_command(program, command).no_binary_name(true);
    let matches = clap.try_get_matches_from(words).map_err(|error| explain(program, command, &error))?;
    let args = Args::new(command, matches);
    check_order(program, command, &args)?;
    check_count(program, command, args.positional())?;
    Ok(args)
}

/// `gnt-instance startup [OPTION...] INSTANCE...`
fn usage(program: &Program, command: &SubCommand) -> String {
    let arguments = command.args.iter().map(|arg| format!(" {}", arg.usage()));
    format!("{} {} [OPTION...]{}", program.name, command.name, arguments.collect::<String>())
}

fn option(option: &'static Opt) -> Arg {
    let mut arg = Arg::new(option.id()).help(option.help);
    if !option.long.is_empty() {
        arg = arg.long(option.long);
    }
    if let Some(letter) = option.short {
        arg = arg.short(letter);
    }
    if let Some(alias) = option.alias {
        arg = arg.visible_alias(alias);
    }
    if !option.takes_value() {
        return arg.action(if option.repeats { ArgAction::Count } else { ArgAction::SetTrue });
    }
    let kind = option.kind;
    arg = arg.value_name(option.metavar).allow_hyphen_values(true).value_parser(move |text: &str| parse_value(kind, text));
    if let Some(default) = option.default {
        arg = arg.default_value(default);
    }
    if let Kind::Choice(choices) = kind
        && !option.metavar.contains(choices[0])
    {
        arg = arg.help(format!("{}: {}", option.help, choices.join(", ")));
    }
    arg.action(if option.repeats { ArgAction::Append } else { ArgAction::Set })
}

/// All arguments are one list for clap: the first one ends the options, as in Ganeti. The usage line shows them, [`check_count`]
/// counts them.
fn positional() -> Arg {
    Arg::new("args").num_args(0..).trailing_var_arg(true).hide(true).value_parser(clap::value_parser!(String))
}

fn check_order(program: &Program, command: &SubCommand, args: &Args) -> Result<(), Stop> {
    if command.args.iter().any(|arg| matches!(arg.kind, ArgKind::Command)) {
        return Ok(());
    }
    let is_option =
        |word: &&String| word.strip_prefix("--").is_some_and(|name| command.option(name.split('=').next().unwrap_or(name)).is_some());
    match args.positional().iter().skip(1).find(is_option) {
        Some(word) => Err(bad_option(program, command, &format!("option {word} must come before the arguments"))),
        None => Ok(()),
    }
}

fn check_count(program: &Program, command: &SubCommand, words: &[String]) -> Result<(), Stop> {
    let name = format!("{} {}", program.name, command.name);
    let bad = |text: String| Err(Stop::BadArguments(format!("Error: {text}\nUsage: {}", usage(program, command))));
    let least: usize = command.args.iter().map(|arg| arg.min).sum();
    let most = command.args.iter().try_fold(0, |sum, arg| arg.max.map(|max| sum + max));
    if words.len() < least {
        return bad(format!("Command {name} expects {}{least} argument(s)", if most == Some(least) { "" } else { "at least " }));
    }
    if let Some(most) = most.filter(|&most| words.len() > most) {
        return bad(match most {
            0 => format!("Command {name} expects no arguments"),
            most => format!("Command {name} expects {}{most} argument(s)", if most == least { "" } else { "at most " }),
        });
    }
    let choice = command.args.iter().zip(words).find(|(arg, word)| arg.kind == ArgKind::Choice && !arg.choices.contains(&word.as_str()));
    match choice {
        Some((arg, word)) => bad(format!("'{word}' is not one of {}", arg.choices.join(", "))),
        None => Ok(()),
    }
}

fn bad_option(program: &Program, command: &SubCommand, text: &str) -> Stop {
    let (usage, name) = (usage(program, command), format!("{} {}", program.name, command.name));
    Stop::BadOption(format!("Usage: {usage}\n\n{name}: error: {text}\n(`{name} --help` shows the options)"))
}

/// Words clap's error as the option parser of Ganeti would, so that scripts that look at standard error still find it.
fn explain(program: &Program, command: &SubCommand, error: &clap::Error) -> Stop {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let option = context(ContextKind::InvalidArg).unwrap_or_default();
    let option = option.split([' ', '=']).next().unwrap_or_default().to_owned();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let text = match error.kind() {
        ErrorKind::DisplayHelp => return Stop::Help(error.render().to_string()),
        ErrorKind::UnknownArgument => match context(ContextKind::SuggestedArg) {
            Some(suggestion) => format!("no such option: {option} (did you mean {suggestion}?)"),
            None => format!("no such option: {option}"),
        },
        ErrorKind::ValueValidation => match std::error::Error::source(error) {
            Some(reason) => format!("option {option}: {reason}"),
            None => format!("option {option}: invalid value '{value}'"),
        },
        ErrorKind::InvalidValue if value.is_empty() => format!("option {option} requires a value"),
        ErrorKind::TooManyValues => format!("option {option} does not take a value"),
        _ => {
            let rendered = error.render().to_string();
            rendered.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    };
    bad_option(program, command, &text)
}

//! The generated part of the pages of `gnt-*`: every sub-command with its arguments and options, from the command line's tables.

use gannet_cli::built;
use gannet_cli::spec::{ArgKind, COMMON, Kind, Opt, Program, SubCommand};

use crate::roff::{Roff, bold, escape, italic};
use crate::status;

/// All sub-commands of a program.
pub fn add(page: &mut Roff, program: &Program) {
    page.section("SUB-COMMANDS");
    for command in program.commands {
        sub_command(page, program, command);
    }
    page.section("OPTIONS OF ALL SUB-COMMANDS");
    page.definition(&format!("{}, {}", bold("-h"), bold("--help")), "Print a help text and exit.");
    for option in COMMON {
        definition(page, option, false);
    }
}

/// What `SYNOPSIS` shows.
pub fn synopsis(page: &mut Roff, program: &Program) {
    page.paragraph(&format!("{} {} [{}...] [{}...]", bold(program.name), italic("SUB-COMMAND"), italic("OPTION"), italic("ARGUMENT")));
}

fn sub_command(page: &mut Roff, program: &Program, command: &SubCommand) {
    page.subsection(command.name);
    page.paragraph(&usage(program, command));
    page.paragraph(&escape(&sentence(command.about)));
    if let Some(gap) = status::gap(program, command) {
        page.paragraph(&format!("{} {}", bold("Not in this version:"), escape(&gap)));
    }
    if !command.aliases.is_empty() {
        let aliases: Vec<String> = command.aliases.iter().map(|alias| bold(alias)).collect();
        page.paragraph(&format!("The same as {}.", aliases.join(", ")));
    }
    if let Some(variable) = command.env_default {
        page.paragraph(&format!("Arguments in the environment variable {} are put before the ones given.", bold(variable)));
    }
    if let Some(arg) = command.args.iter().find(|arg| arg.kind == ArgKind::Suggest) {
        page.paragraph(&format!("{} is for example {}.", italic("ARG"), escape(&arg.choices.join(", "))));
    }
    let missing = built(program, command).map_or(&[][..], |built| built.missing());
    for option in command.options {
        definition(page, option, missing.contains(&option.id()));
    }
}

fn usage(program: &Program, command: &SubCommand) -> String {
    let arguments: String = command.args.iter().map(|arg| format!(" {}", italic(&arg.usage()))).collect();
    let options = if command.options.is_empty() { String::new() } else { format!(" [{}...]", italic("OPTION")) };
    format!("{}{options}{arguments}", bold(&format!("{} {}", program.name, command.name)))
}

fn definition(page: &mut Roff, option: &Opt, missing: bool) {
    let mut names = Vec::new();
    names.extend(option.short.map(|letter| bold(&format!("-{letter}"))));
    if option.long.is_empty() {
        names = vec![bold(&option.typed())];
    } else {
        names.push(bold(&option.typed()));
    }
    names.extend(option.alias.map(|alias| bold(&format!("--{alias}"))));
    let mut term = names.join(", ");
    if option.takes_value() {
        term.push_str(&format!(" {}", italic(option.metavar)));
    }
    page.definition(&term, &escape(&text(option, missing)));
}

fn text(option: &Opt, missing: bool) -> String {
    let mut text = sentence(option.help);
    if let Kind::Choice(choices) = option.kind {
        text.push_str(&format!(" One of {}.", choices.join(", ")));
    }
    if let Some(default) = option.default {
        text.push_str(&format!(" Default: {default}."));
    }
    if option.repeats {
        text.push_str(" May be given several times.");
    }
    if option.kind == Kind::Obsolete {
        text.push_str(" Accepted with a warning, without effect.");
    }
    if missing {
        text.push_str(" Not in this version: the command refuses it.");
    }
    text
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', ')', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

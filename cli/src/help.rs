//! What is shown instead of a sub-command.

use crate::exit::{FAILURE, SUCCESS};
use crate::io::Io;
use crate::spec::{PROGRAMS, Program};

/// The release of Ganeti whose interface this is.
const INTERFACE: &str = "3.1.1";

/// The sub-commands of a program.
pub(crate) fn program(program: &Program) -> String {
    let mut text =
        format!("Usage: {0} COMMAND [OPTION...] [ARGUMENT...]\n{0} COMMAND --help shows the options of a command.\n\n", program.name);
    text.push_str(&format!("{}: {}. Commands:\n", program.name, program.about));
    let width = program.commands.iter().map(|command| command.name.len()).max().unwrap_or_default();
    for command in program.commands {
        let not_yet = if crate::built(program, command).is_some() { "" } else { " (not yet)" };
        text.push_str(&format!(" {:<width$} - {}{not_yet}\n", command.name, command.about));
    }
    text.truncate(text.trim_end().len());
    text
}

/// `--help`, `--version`, or a word that is no sub-command.
pub(crate) fn instead_of_command(of: &Program, word: &str, io: &mut Io) -> u8 {
    match word {
        "--help" | "-h" => io.line(program(of)),
        "--version" => io.line(version(of.name)),
        _ => {
            let names = of.commands.iter().flat_map(|command| command.aliases.iter().copied().chain([command.name]));
            io.note(format_args!("{}: unknown command '{word}'{}\n", of.name, suggestion(word, names)));
            io.note(program(of));
            return FAILURE;
        }
    }
    SUCCESS
}

/// `gnt` by itself.
pub(crate) fn gnt(word: Option<&str>, io: &mut Io) -> u8 {
    let mut text = "Usage: gnt PROGRAM COMMAND [OPTION...] [ARGUMENT...]\nThe same as gnt-PROGRAM COMMAND ... Programs:\n".to_owned();
    for program in PROGRAMS {
        text.push_str(&format!(" {:<8} - {}\n", program.name.trim_start_matches("gnt-"), program.about));
    }
    text.push_str(" daemon-util - start, stop and check the daemons of this node");
    match word {
        Some("--version") => io.line(version("gnt")),
        Some("--help" | "-h") => io.line(text),
        Some(word) => {
            let names = PROGRAMS.iter().map(|program| program.name.trim_start_matches("gnt-")).chain(["daemon-util"]);
            io.note(format_args!("gnt: unknown program '{word}'{}\n\n{text}", suggestion(word, names)));
            return FAILURE;
        }
        None => {
            io.line(text);
            return FAILURE;
        }
    }
    SUCCESS
}

fn version(name: &str) -> String {
    format!("{name} (ganeti gannet-{}) {INTERFACE}", env!("CARGO_PKG_VERSION"))
}

/// ` (did you mean 'x'?)`, when a name is at most two edits away.
fn suggestion<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let close = names.map(|name| (distance(word, name), name)).filter(|&(distance, name)| distance <= 2 && distance < name.len());
    close.min().map(|(_, name)| format!(" (did you mean '{name}'?)")).unwrap_or_default()
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions() {
        assert_eq!(suggestion("strat", ["startup", "start", "list"].into_iter()), " (did you mean 'start'?)");
        assert_eq!(suggestion("xyz", ["startup", "list"].into_iter()), "");
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}

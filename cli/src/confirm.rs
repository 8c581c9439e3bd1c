//! Questions before something is destroyed. Without a terminal nobody is asked, and the answer is no.

use std::fs::File;
use std::io::{BufRead, BufReader};

use crate::exit::Failure;
use crate::io::Io;

/// Asks a yes-or-no question.
///
/// # Errors
/// Never; the result is an answer.
#[must_use]
pub fn yes(io: &mut Io, question: &str) -> bool {
    ask(io, question, None)
}

/// Asks whether `operation` may be done to these objects, which can be listed first.
#[must_use]
pub fn operation(io: &mut Io, names: &[String], kind: &str, operation: &str, extra: &str) -> bool {
    let question = format!("The {operation} will operate on {} {kind}.\n{extra}Do you want to continue?", names.len());
    let list = format!("Affected {kind}:\n  {}", names.join("\n  "));
    if names.len() > 20 { ask(io, &question, Some(&list)) } else { ask(io, &format!("{question}\n\n{list}\n"), None) }
}

/// Lets the operator choose one of several by its number; `None` when nothing valid was chosen.
///
/// # Errors
/// There is no terminal.
pub fn choose(io: &mut Io, question: &str, choices: &[String]) -> Result<Option<usize>, Failure> {
    for (number, choice) in choices.iter().enumerate() {
        io.note(format_args!("{number:3}: {choice}"));
    }
    io.ask(format_args!("{question} "));
    match answer(io) {
        Some(text) => Ok(text.trim().parse().ok().filter(|&number: &usize| number < choices.len())),
        None => Err(Failure::Confirmation("There is no terminal to choose on".into())),
    }
}

fn ask(io: &mut Io, question: &str, list: Option<&str>) -> bool {
    loop {
        io.ask(format_args!("{question} {}: ", if list.is_some() { "y/[n]/v/?" } else { "y/[n]/?" }));
        let Some(text) = answer(io) else {
            io.note("no terminal, so the answer is no");
            return false;
        };
        match (text.trim(), list) {
            ("y" | "Y" | "yes", _) => return true,
            ("" | "n" | "N" | "no", _) => return false,
            ("v", Some(list)) => io.note(list),
            _ => io.note(if list.is_some() { "y: yes, n: no, v: view the list" } else { "y: yes, n: no" }),
        }
    }
}

/// One line from the operator; `None` when there is no terminal, or no more input.
fn answer(io: &mut Io) -> Option<String> {
    if io.answers.is_none() {
        let terminal = File::open("/dev/tty").ok()?;
        io.answers = Some(Box::new(BufReader::new(terminal)));
    }
    let mut line = String::new();
    match io.answers.as_mut()?.read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answering(text: &'static str) -> Io {
        let mut io = Io::new(Box::new(std::io::sink()), Box::new(std::io::sink()), Box::new(std::io::empty()));
        io.answers = Some(Box::new(text.as_bytes()));
        io
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        for (text, expected) in [("y\n", true), ("YES?\nyes\n", true), ("\n", false), ("n\n", false), ("what\n?\ny\n", true), ("", false)] {
            assert_eq!(yes(&mut answering(text), "Sure?"), expected, "{text:?}");
        }
        let names: Vec<String> = (0..30).map(|number| format!("web{number}")).collect();
        assert!(operation(&mut answering("v\ny\n"), &names, "instances", "startup", ""));
    }

    #[test]
    fn choices_are_numbers() {
        let choices = ["a", "b"].map(str::to_owned);
        assert_eq!(choose(&mut answering("1\n"), "?", &choices).ok(), Some(Some(1)));
        assert_eq!(choose(&mut answering("2\n"), "?", &choices).ok(), Some(None));
        assert_eq!(choose(&mut answering("x\n"), "?", &choices).ok(), Some(None));
    }
}

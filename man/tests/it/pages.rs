//! Manual pages: all there, complete, and proper roff.

use std::process::Command;

use clap::CommandFactory;
use gannet_cli::spec::PROGRAMS;
use gannet_man::daemon::{self, Item};
use gannet_man::page::{self, PAGES};

fn all() -> Vec<(String, String)> {
    PAGES.iter().map(|page| (page.file_name(), page::render(page).unwrap_or_else(|error| panic!("{error:#}")))).collect()
}

fn page(name: &str) -> String {
    all().into_iter().find(|(file, _)| file == name).map(|(_, text)| text).unwrap_or_else(|| panic!("no page {name}"))
}

#[test]
fn every_program_has_a_page_with_all_that_it_takes() {
    for program in PROGRAMS {
        let text = page(&format!("{}.8", program.name));
        for command in program.commands {
            assert!(text.contains(&format!(".SS \"{}\"\n", command.name.replace('-', "\\-"))), "{} {}", program.name, command.name);
            for option in command.options {
                let typed = option.typed().replace('-', "\\-");
                assert!(text.contains(&format!("\\fB{typed}\\fR")), "{} {} {typed}", program.name, command.name);
            }
        }
    }
}

#[test]
fn every_daemon_has_a_page_with_its_options() {
    for daemon in gannet_cli::daemon_util::DAEMONS {
        let text = page(&format!("{}.8", daemon.name));
        let source = daemon::source(daemon.name).expect("its command line");
        for item in daemon::items(source) {
            if let Item::Option { long, .. } = item {
                assert!(text.contains(&format!("\\fB\\-\\-{}\\fR", long.replace('-', "\\-"))), "{} --{long}", daemon.name);
            }
        }
    }
}

#[test]
fn every_tool_has_a_page_with_its_options() {
    for tool in gannet_htools::program::TOOLS {
        let text = page(&format!("{}.1", tool.name));
        for option in tool.options {
            assert!(text.contains(&format!("\\fB\\-\\-{}\\fR", option.replace('-', "\\-"))), "{} --{option}", tool.name);
        }
    }
}

/// The options that are read from a source are those that the parser takes.
#[test]
fn what_is_read_from_the_source_is_what_clap_takes() {
    let taken: Vec<(String, Option<char>)> = gannet_rapi::options::Options::command()
        .get_arguments()
        .filter_map(|arg| Some((arg.get_long()?.to_owned(), arg.get_short())))
        .filter(|(long, _)| long != "help" && long != "version")
        .collect();
    let read: Vec<(String, Option<char>)> = daemon::items(daemon::source("gannet-rapi").expect("its command line"))
        .into_iter()
        .filter_map(|item| if let Item::Option { long, short, .. } = item { Some((long, short)) } else { None })
        .collect();
    assert_eq!(read, taken);
}

#[test]
fn pages_have_the_usual_sections_and_refer_to_pages_that_exist() {
    let pages = all();
    for (name, text) in &pages {
        for section in ["NAME", "DESCRIPTION", "SEE ALSO"] {
            assert!(text.contains(&format!(".SH \"{section}\"\n")), "{name}: no {section}");
        }
        if !name.ends_with(".7") {
            for section in ["SYNOPSIS", "EXIT STATUS", "FILES"] {
                assert!(text.contains(&format!(".SH \"{section}\"\n")), "{name}: no {section}");
            }
        }
        if name.starts_with("gnt-") || name.ends_with(".1") {
            assert!(text.contains(".SH \"EXAMPLES\"\n"), "{name}: no EXAMPLES");
        }
        let see = text.split_once(".SH \"SEE ALSO\"").expect("checked").1;
        for other in see.split(['(', ' ', ',', '\n']).filter(|word| word.contains("\\fB")) {
            let other = other.replace("\\fB", "").replace("\\fR", "").replace("\\-", "-");
            assert!(PAGES.iter().any(|page| page.name == other), "{name} refers to {other}");
        }
    }
}

/// The shape of the source, so that the test means something also where there is no groff.
#[test]
fn pages_are_proper_roff() {
    const REQUESTS: [&str; 11] = [".TH", ".SH", ".SS", ".PP", ".TP", ".IP", ".RS", ".RE", ".nf", ".fi", ".\\\""];
    for (name, text) in all() {
        let (mut verbatim, mut after_term) = (0_i32, false);
        for line in text.lines() {
            if let Some(request) = line.split(' ').next().filter(|word| word.starts_with('.')) {
                assert!(REQUESTS.contains(&request), "{name}: unknown request: {line}");
                assert!(!after_term, "{name}: a term without text before: {line}");
                verbatim += i32::from(request == ".nf") - i32::from(request == ".fi");
                assert!((0..=1).contains(&verbatim), "{name}: verbatim text is not closed: {line}");
                after_term = request == ".TP";
            } else {
                assert!(!line.starts_with('\'') && line.is_ascii(), "{name}: {line}");
                assert_eq!(line.matches("\\fB").count() + line.matches("\\fI").count(), line.matches("\\fR").count(), "{name}: {line}");
                assert!(!line.trim().is_empty(), "{name}: an empty line");
                after_term = false;
            }
        }
        assert_eq!(verbatim, 0, "{name}");
    }
}

/// groff itself has nothing to say about them.
#[test]
fn groff_is_content() {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, text) in all() {
        let path = dir.path().join(&name);
        std::fs::write(&path, text).expect("written");
        #[allow(clippy::disallowed_methods, reason = "a test, not a daemon")]
        let outcome = Command::new("groff").args(["-man", "-Tascii", "-ww", "-z", "-rLL=100n"]).arg(&path).output();
        // A machine without groff has `pages_are_proper_roff`.
        let Ok(output) = outcome else { return };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{name}: {said}");
    }
}

/// Command lines in the text of the pages are understood by the commands.
#[test]
fn examples_are_command_lines() {
    let mut seen = 0;
    for page in PAGES {
        let lines = page.text.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| line.starts_with("gnt-"));
        for line in lines {
            let words = words(line);
            let program = gannet_cli::spec::Program::find(&words[0]).unwrap_or_else(|| panic!("{line}"));
            let command = program.command(&words[1]).unwrap_or_else(|| panic!("no such sub-command: {line}"));
            let parsed = gannet_cli::command::parse(program, command, &words[2..]);
            assert!(parsed.is_ok(), "{line}: {:?}", parsed.err());
            assert!(gannet_cli::built(program, command).is_some(), "an example of what there is not: {line}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

/// Words of a shell line with single quotes.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(at, part)| if at % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() })
        .collect()
}

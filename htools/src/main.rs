//! `htools`: the placement tools in one program, chosen by the name it is called by, or by its first argument.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

/// Ganeti's tools.
const TOOLS: [&str; 9] = ["hail", "harep", "hbal", "hcheck", "hinfo", "hroller", "hscan", "hspace", "hsqueeze"];

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let called_as = arguments.next().unwrap_or_default();
    let own_name = called_as.rsplit('/').next().unwrap_or_default().to_lowercase();
    // Ganeti: the variable goes before the program's name.
    let role = std::env::var("HTOOLS").ok().filter(|role| !role.is_empty()).map_or(own_name, |role| role.to_lowercase());
    let rest: Vec<String> = arguments.collect();
    let (tool, options) = if role == "htools" || !is_tool(&role) {
        match rest.split_first() {
            Some((first, options)) if is_tool(first) => (first.clone(), options.to_vec()),
            _ => ("htools".to_owned(), rest),
        }
    } else {
        (role, rest)
    };
    answer(&tool, &options)
}

fn is_tool(name: &str) -> bool {
    TOOLS.contains(&name)
}

fn answer(tool: &str, options: &[String]) -> ExitCode {
    let asked = |long: &str, short: &str| options.iter().any(|option| option == long || option == short);
    if asked("--version", "-V") {
        return say(&format!("{tool} (Gannet) version {}", env!("CARGO_PKG_VERSION")));
    }
    if asked("--help", "-h") {
        return say(&usage(tool));
    }
    if tool == "htools" {
        eprintln!("{}", usage(tool));
        return ExitCode::FAILURE;
    }
    eprintln!("{tool}: not available in this version of Gannet yet (see docs/status.md); gannet-masterd places instances by itself");
    ExitCode::FAILURE
}

fn usage(tool: &str) -> String {
    if tool == "htools" {
        return format!("Usage: htools TOOL [OPTION...]\nTools, none of which is available in this version yet: {}", TOOLS.join(", "));
    }
    format!(
        "Usage: {tool} [OPTION...]\nNot available in this version of Gannet yet.\n  -V, --version  show the version\n  -h, --help     show this help"
    )
}

fn say(text: &str) -> ExitCode {
    // A reader that has gone away is not an error of ours.
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

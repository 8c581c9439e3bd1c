//! The generated part of the pages of the placement tools: their options, from the tools' own table.

use gannet_htools::program::option::{Argument, Arguments, Spec, TABLE};
use gannet_htools::program::{TOOLS, Tool};

use crate::roff::{Roff, bold, escape, italic};

/// The tool of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// What `SYNOPSIS` shows.
pub fn synopsis(page: &mut Roff, tool: &Tool) {
    let arguments = match tool.arguments {
        Arguments::None => String::new(),
        Arguments::OneFile => format!(" {}", italic("FILE")),
        Arguments::Hosts => format!(" [{}...]", italic("CLUSTER")),
    };
    page.paragraph(&format!("{} [{}...]{arguments}", bold(tool.name), italic("OPTION")));
}

/// The options, in the order of the tool's help.
pub fn add(page: &mut Roff, tool: &Tool) {
    page.section("OPTIONS");
    for long in tool.options.iter().chain(&["version", "help"]) {
        if let Some(spec) = TABLE.iter().find(|spec| spec.long == *long) {
            page.definition(&term(spec), &escape(&sentence(spec.help)));
        }
    }
    page.paragraph("Long options may be shortened as long as only one fits.");
}

fn term(spec: &Spec) -> String {
    let short = spec.short.map(|letter| format!("{}, ", bold(&format!("-{letter}")))).unwrap_or_default();
    let value = match spec.argument {
        Argument::None => String::new(),
        Argument::Required(name) => format!(" {}", italic(name)),
        Argument::Optional(name) => format!("[={}]", italic(name)),
    };
    format!("{short}{}{value}", bold(&format!("--{}", spec.long)))
}

fn sentence(help: &str) -> String {
    let mut letters = help.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let stop = if help.ends_with(['.', ']', ')']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

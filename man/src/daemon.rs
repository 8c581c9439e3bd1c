//! The generated part of the daemons' pages: their options, read from the source of their command lines.
//!
//! The daemons are not linked here (one of them needs libvirt), so this reads what `clap` reads: doc comments and `#[arg(…)]`.
//! Tests compare the result with `clap`'s own and count that nothing was passed over.

use crate::roff::{Roff, bold, escape, italic};

/// The source of a daemon's command line.
#[must_use]
pub fn source(daemon: &str) -> Option<&'static str> {
    Some(match daemon {
        "gannet-confd" => include_str!("../../confd/src/main.rs"),
        "gannet-masterd" => include_str!("../../masterd/src/options.rs"),
        "gannet-noded" => include_str!("../../noded/src/options.rs"),
        "gannet-rapi" => include_str!("../../rapi/src/options.rs"),
        _ => return None,
    })
}

/// An option, an argument, or a command of a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Option { long: String, short: Option<char>, value: Option<String>, default: Option<String>, env: Option<String>, help: String },
    Command { name: String, help: String },
    Argument { name: String, help: String },
}

/// Adds the options, and the commands with theirs.
pub fn add(page: &mut Roff, items: &[Item]) {
    let commands = items.iter().position(|item| matches!(item, Item::Command { .. })).unwrap_or(items.len());
    page.section("OPTIONS");
    items[..commands].iter().for_each(|item| one(page, item));
    page.definition(&format!("{}, {}", bold("-h"), bold("--help")), "Print a help text and exit.");
    page.definition(&format!("{}, {}", bold("-V"), bold("--version")), "Print the version and exit.");
    if commands < items.len() {
        page.section("COMMANDS");
        items[commands..].iter().for_each(|item| one(page, item));
    }
}

fn one(page: &mut Roff, item: &Item) {
    match item {
        Item::Command { name, help } => {
            page.subsection(name);
            page.paragraph(&escape(&stopped(help)));
        }
        Item::Argument { name, help } => page.definition(&italic(&name.to_uppercase()), &escape(&stopped(help))),
        Item::Option { long, short, value, default, env, help } => {
            let letter = short.map(|letter| format!("{}, ", bold(&format!("-{letter}")))).unwrap_or_default();
            let value = value.as_ref().map(|value| format!(" {}", italic(value))).unwrap_or_default();
            let mut text = stopped(help);
            if let Some(default) = default {
                text.push_str(&format!(" Default: {default}."));
            }
            if let Some(variable) = env {
                text.push_str(&format!(" Also from the environment variable {variable}."));
            }
            page.definition(&format!("{letter}{}{value}", bold(&format!("--{long}"))), &escape(&text));
        }
    }
}

fn stopped(text: &str) -> String {
    if text.ends_with(['.', ']', ')']) { text.to_owned() } else { format!("{text}.") }
}

/// Everything that the source declares, in its order.
#[must_use]
pub fn items(source: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let (mut help, mut attribute, mut place) = (Vec::new(), String::new(), Place::Outside);
    for line in source.lines() {
        let (indent, text) = (line.len() - line.trim_start().len(), line.trim());
        if let Some(comment) = text.strip_prefix("///") {
            help.push(comment.trim().to_owned());
        } else if text.starts_with("#[") {
            attribute.push_str(text);
        } else {
            let name = text.strip_prefix("pub ").unwrap_or(text);
            place = match (place, text) {
                (Place::Outside, _) if attribute.contains("Parser") && name.starts_with("struct ") => Place::Options,
                (Place::Outside, _) if attribute.contains("Subcommand") && name.starts_with("enum ") => Place::Commands,
                (place, "}") if indent == 0 => {
                    let _ = place;
                    Place::Outside
                }
                (place, _) => {
                    items.extend(declared(place, indent, name, &attribute, help.join(" ")));
                    place
                }
            };
            help.clear();
            attribute.clear();
        }
    }
    items
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Outside,
    Options,
    Commands,
}

fn declared(place: Place, indent: usize, line: &str, attribute: &str, help: String) -> Option<Item> {
    match place {
        Place::Commands if indent == 4 && line.starts_with(char::is_uppercase) => {
            let name: String = line.chars().take_while(|c| c.is_alphanumeric()).collect();
            return Some(Item::Command { name: name.to_lowercase(), help });
        }
        Place::Outside => return None,
        _ => {}
    }
    let (name, of_type) = line.split_once(':')?;
    let of_type = of_type.trim().trim_end_matches(',');
    let Some(arg) = attribute.find("#[arg(").map(|at| &attribute[at + "#[arg(".len()..]) else {
        // Without an attribute: a bare field of a command is its argument, everything else is a command itself.
        return (place == Place::Commands).then(|| Item::Argument { name: name.to_owned(), help });
    };
    let settings = split(arg.strip_suffix(")]").unwrap_or(arg));
    let setting = |key: &str| settings.iter().find_map(|(name, value)| (*name == key).then(|| unquoted(value)));
    let long = setting("long")?;
    let long = if long.is_empty() { name.replace('_', "-") } else { long };
    let short =
        setting("short").map(|letter| if letter.is_empty() { name.to_owned() } else { letter }).and_then(|word| word.chars().next());
    let placeholder = || name.to_uppercase();
    let value = (of_type != "bool").then(|| setting("value_name").unwrap_or_else(placeholder));
    let default = setting("default_value").or_else(|| setting("default_value_t").map(|name| constant(&name)));
    Some(Item::Option { long, short, value, default, env: setting("env"), help })
}

/// `long, short = 'K'` as names and values; commas within parentheses belong to the value.
fn split(text: &str) -> Vec<(&str, &str)> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts.into_iter().map(|part| part.split_once('=').map_or((part.trim(), ""), |(name, value)| (name.trim(), value.trim()))).collect()
}

fn unquoted(text: &str) -> String {
    text.trim_matches(['"', '\'']).to_owned()
}

fn constant(name: &str) -> String {
    use gannet_core::paths::{NODED_PORT, RAPI_PORT};

    match name {
        "NODED_PORT" => NODED_PORT.to_string(),
        "RAPI_PORT" => RAPI_PORT.to_string(),
        other => other.rsplit("::").next().unwrap_or(other).to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_read() {
        let found = items(
            "/// X.\n#[derive(Debug, Parser)]\nstruct Args {\n    /// Root\n    #[arg(long, short = 'R', env = \"E\", value_name = \"DIR\")]\n    \
             root: Option<PathBuf>,\n    /// Port\n    #[arg(long, default_value_t = NODED_PORT, value_parser = f(1, 2))]\n    pub port: u16,\n    \
             #[command(subcommand)]\n    pub command: Option<Command>,\n}\n#[derive(Subcommand)]\npub enum Command {\n    /// Join\n    Join {\n        \
             /// The token\n        token: String,\n        /// Also\n        #[arg(long)]\n        force: bool,\n    },\n}\n",
        );
        let option = |long: &str, short, value: Option<&str>, default: Option<&str>, env: Option<&str>, help: &str| Item::Option {
            long: long.into(),
            short,
            value: value.map(Into::into),
            default: default.map(Into::into),
            env: env.map(Into::into),
            help: help.into(),
        };
        assert_eq!(
            found,
            [
                option("root", Some('R'), Some("DIR"), None, Some("E"), "Root"),
                option("port", None, Some("PORT"), Some("1811"), None, "Port"),
                Item::Command { name: "join".into(), help: "Join".into() },
                Item::Argument { name: "token".into(), help: "The token".into() },
                option("force", None, None, None, None, "Also"),
            ]
        );
    }

    #[test]
    fn no_option_of_a_daemon_is_passed_over() {
        for daemon in ["gannet-confd", "gannet-masterd", "gannet-noded", "gannet-rapi"] {
            let source = source(daemon).unwrap();
            let found = items(source).iter().filter(|item| matches!(item, Item::Option { .. })).count();
            assert_eq!(found, source.matches("    #[arg(").count(), "{daemon}");
        }
    }
}

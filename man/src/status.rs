//! What works: every command, RAPI resource, opcode and parameter of Ganeti, told from the code that would carry it out.
//!
//! The lists come from `qa/parity/*.json`. Whether an opcode is built is read from the master's dispatch, whether a command is
//! from `gannet_cli::built` and the opcodes that it submits ([`need`]), whether a resource is from RAPI's table. Only the limits
//! of what works ([`note`]) and the effect of parameters ([`param`]) are written by hand.

pub mod need;
pub mod note;
pub mod param;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use gannet_cli::built;
use gannet_cli::spec::{Program, SubCommand};
use serde_json::{Map, Value};

const DISPATCH: &str = include_str!("../../masterd/src/opcode.rs");
const METHODS: &str = include_str!("../../masterd/src/luxi/methods.rs");
const CLI: &str = include_str!("../../qa/parity/cli.json");
const RAPI: &str = include_str!("../../qa/parity/rapi.json");
const OPCODES: &str = include_str!("../../qa/parity/opcodes.json");
const LIMITS: &str = include_str!("../status/limits.md");

/// A method of a RAPI resource that exists: URI, method, and the opcode that it submits if that is all it does.
pub type Endpoint = (&'static str, &'static str, Option<&'static str>);

/// Whether the master daemon has this opcode (or the LUXI method, for names without `OP_`).
#[must_use]
pub fn is_built(name: &str) -> bool {
    if name.starts_with("OP_") { opcodes_built().contains(name) } else { method_built(name) }
}

/// The opcodes in the master's dispatch.
#[must_use]
pub fn opcodes_built() -> BTreeSet<String> {
    let arms = DISPATCH.lines().filter_map(|line| line.trim().strip_prefix("Op::")).filter(|arm| arm.contains("drive(context"));
    arms.filter_map(|arm| arm.split('(').next()).map(op_id).collect()
}

/// `InstanceStartup` is `OP_INSTANCE_STARTUP` on the wire.
fn op_id(variant: &str) -> String {
    let mut id = String::from("OP");
    for c in variant.chars() {
        if c.is_uppercase() {
            id.push('_');
        }
        id.push(c.to_ascii_uppercase());
    }
    id
}

fn method_built(method: &str) -> bool {
    let is_arm = |line: &&str| {
        line.contains("=>")
            && line.split("=>").next().is_some_and(|names| names.split([' ', '|']).any(|name| name == format!("Method::{method}")))
    };
    let mut lines = METHODS.lines();
    // What is refused stands in the same arm, or in its first line.
    lines.find(is_arm).is_some_and(|arm| !arm.contains("not_yet(") && !lines.next().is_some_and(|next| next.contains("not_yet(")))
}

/// What keeps a sub-command from working; `None` when it works.
#[must_use]
pub fn gap(program: &Program, command: &SubCommand) -> Option<String> {
    if built(program, command).is_none() {
        return Some("the command says so and ends with exit code 1.".to_owned());
    }
    let missing = missing(need::of(program.name, command.name));
    (!missing.is_empty()).then(|| format!("the master daemon refuses it ({} not built).", are(&missing)))
}

fn missing(needs: &[&'static str]) -> Vec<&'static str> {
    needs.iter().copied().filter(|need| !is_built(need)).collect()
}

fn are(names: &[&str]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

/// The whole of `docs/status.md`.
///
/// # Errors
/// A parity file cannot be read.
pub fn render(endpoints: &[Endpoint]) -> anyhow::Result<String> {
    let mut out = String::from(LIMITS);
    commands(&mut out, &serde_json::from_str(CLI)?);
    resources(&mut out, &serde_json::from_str(RAPI)?, endpoints);
    opcodes(&mut out, &serde_json::from_str(OPCODES)?);
    param::add(&mut out)?;
    Ok(out)
}

/// A table that is being filled: title, first column, rows.
pub(crate) struct Table {
    title: String,
    head: &'static str,
    rows: Vec<(String, bool, String)>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, head: &'static str) -> Self {
        Self { title: title.into(), head, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, name: impl Into<String>, works: bool, note: impl Into<String>) {
        self.rows.push((name.into(), works, note.into()));
    }

    pub(crate) fn add_to(self, out: &mut String) {
        let works = self.rows.iter().filter(|(_, works, _)| *works).count();
        let _ = write!(out, "\n## {}\n\n{works} of {} work.\n\n| {} | state | |\n|---|---|---|\n", self.title, self.rows.len(), self.head);
        for (name, works, note) in &self.rows {
            let state = if *works { "works" } else { "not yet" };
            let _ = writeln!(out, "| {name} | {state} | {} |", note.replace('|', "\\|"));
        }
    }
}

fn keys<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value[key].as_object().into_iter().flat_map(Map::iter)
}

fn commands(out: &mut String, parity: &Value) {
    for (name, parts) in keys(parity, "commands") {
        let mut table = Table::new(format!("`{name}`"), "sub-command");
        for (sub, _) in keys(parts, "subcommands") {
            let found = Program::find(name).and_then(|program| Some((program, program.command(sub)?)));
            let Some((program, command)) = found else {
                table.row(format!("`{sub}`"), false, "unknown to the command line");
                continue;
            };
            match gap(program, command) {
                Some(_) => table.row(format!("`{sub}`"), false, reason(program, command)),
                None => table.row(format!("`{sub}`"), true, limits(program, command)),
            }
        }
        table.add_to(out);
    }
}

fn reason(program: &Program, command: &SubCommand) -> String {
    let missing = missing(need::of(program.name, command.name));
    let note = note::of(&format!("{} {}", program.name, command.name));
    match (note, missing.is_empty()) {
        (Some(note), _) => note.to_owned(),
        (None, true) => "the command refuses it".to_owned(),
        (None, false) => format!("needs {}", code(&missing)),
    }
}

fn limits(program: &Program, command: &SubCommand) -> String {
    let mut parts: Vec<String> = note::of(&format!("{} {}", program.name, command.name)).map(str::to_owned).into_iter().collect();
    let options = built(program, command).map_or(&[][..], |built| built.missing());
    if !options.is_empty() {
        parts.push(format!("without {}", options.iter().map(|option| format!("`--{option}`")).collect::<Vec<_>>().join(", ")));
    }
    if parts.is_empty() {
        parts.extend(need::of(program.name, command.name).iter().filter_map(|need| note::of(need)).map(str::to_owned));
    }
    parts.join("; ")
}

fn code(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn resources(out: &mut String, parity: &Value, endpoints: &[Endpoint]) {
    let mut table = Table::new("RAPI", "resource");
    for (uri, resource) in keys(parity, "resources") {
        for (verb, _) in keys(resource, "methods") {
            let name = format!("`{verb} {uri}`");
            let found = endpoints.iter().find(|(known, method, _)| known == uri && method == verb);
            let Some((_, _, op)) = found else {
                table.row(name, false, "no such resource yet");
                continue;
            };
            let needs: Vec<&'static str> = op.iter().copied().chain(need::of_resource(uri, verb).iter().copied()).collect();
            let missing = missing(&needs);
            let limits: Vec<&str> = needs.iter().filter_map(|need| note::of(need)).collect();
            let text = if missing.is_empty() { limits.join("; ") } else { format!("needs {}", code(&missing)) };
            table.row(name, missing.is_empty(), text);
        }
    }
    table.add_to(out);
}

fn opcodes(out: &mut String, parity: &Value) {
    let mut table = Table::new("Opcodes", "opcode");
    for (id, _) in keys(parity, "opcodes") {
        table.row(format!("`{id}`"), is_built(id), note::of(id).unwrap_or_default());
    }
    table.add_to(out);
}

#[cfg(test)]
mod tests {
    use gannet_core::opcode::Op;

    use super::*;

    #[test]
    fn the_dispatch_is_read_whole() {
        let built = opcodes_built();
        assert_eq!(built.len(), DISPATCH.matches("drive(context,").count());
        let unknown: Vec<_> = built.iter().filter(|id| !Op::ALL_IDS.contains(&id.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(is_built("OP_TEST_DELAY") && !is_built("OP_TEST_DUMMY_2"));
    }

    #[test]
    fn methods_are_told_apart() {
        assert!(is_built("SubmitJob") && is_built("Query") && !is_built("NoSuchMethod"));
        assert!(is_built("ReplaceFilter") && is_built("DeleteFilter"));
    }
}

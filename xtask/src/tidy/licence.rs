//! Licences of all dependencies against the list in deny.toml, so that a fresh machine can check them without cargo-deny.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// What deny.toml allows.
#[derive(Debug, Default)]
struct Allowed {
    everywhere: BTreeSet<String>,
    /// Package and licence.
    exceptions: Vec<(String, BTreeSet<String>)>,
}

pub(super) fn check(metadata: &Value, root: &Path) -> Result<Vec<String>> {
    let path = root.join("deny.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let allowed = allowed(&text)?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(packages.iter().filter_map(|package| judge(package, &allowed)).collect())
}

fn judge(package: &Value, allowed: &Allowed) -> Option<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let Some(licence) = package["license"].as_str() else { return Some(format!("{name}: names no licence")) };
    let excepted = allowed.exceptions.iter().any(|(package, licences)| package == name && is_allowed(licence, licences));
    if excepted || is_allowed(licence, &allowed.everywhere) {
        None
    } else {
        Some(format!("{name}: licence `{licence}` is not covered by deny.toml"))
    }
}

/// Reads `allow = [ … ]` and the one-line tables of `exceptions` in the section `[licenses]`: all of TOML that is needed here.
fn allowed(toml: &str) -> Result<Allowed> {
    let section = toml.split_once("[licenses]").context("deny.toml has no section [licenses]")?.1;
    let mut allowed = Allowed::default();
    let mut plain = String::new();
    // A comment may hold brackets and quotes.
    for line in section.lines().map(|line| line.split('#').next().unwrap_or_default()).take_while(|line| !line.starts_with('[')) {
        match line.split_once("name = ") {
            Some((_, rest)) => allowed.exceptions.push((strings(rest).into_iter().next().unwrap_or_default(), list(rest)?)),
            None => plain.extend([line, "\n"]),
        }
    }
    allowed.everywhere = list(&plain)?;
    if allowed.everywhere.is_empty() {
        bail!("deny.toml allows no licence at all");
    }
    Ok(allowed)
}

fn list(text: &str) -> Result<BTreeSet<String>> {
    let list = text.split_once("allow").and_then(|(_, rest)| rest.split_once('[')).and_then(|(_, rest)| rest.split_once(']'));
    Ok(strings(list.context("deny.toml has no list `allow` in [licenses]")?.0).into_iter().collect())
}

/// All strings in double quotes.
fn strings(text: &str) -> Vec<String> {
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// SPDX: `OR` needs one, `AND` all; `AND` binds closer. The old `A/B` means `A OR B`.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { tokens: &tokens, at: 0, allowed };
    let result = parser.any();
    result && parser.at == tokens.len()
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    at: usize,
    allowed: &'a BTreeSet<String>,
}

impl Parser<'_> {
    fn eat(&mut self, word: &str) -> bool {
        let found = self.tokens.get(self.at) == Some(&word);
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> bool {
        let mut result = self.all();
        while self.eat("OR") {
            result |= self.all();
        }
        result
    }

    fn all(&mut self) -> bool {
        let mut result = self.one();
        while self.eat("AND") {
            result &= self.one();
        }
        result
    }

    fn one(&mut self) -> bool {
        if self.eat("(") {
            let result = self.any();
            return self.eat(")") && result;
        }
        let Some(name) = self.tokens.get(self.at) else { return false };
        self.at += 1;
        let mut full = (*name).to_owned();
        if self.eat("WITH") {
            let Some(exception) = self.tokens.get(self.at) else { return false };
            self.at += 1;
            full = format!("{name} WITH {exception}");
        }
        self.allowed.contains(&full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "[bans]\nallow = []\n[licenses]\nallow = [ # the list ]\n \"MIT\",\n \"Apache-2.0\", \"Apache-2.0 WITH LLVM-exception\",\n]\n\
                          exceptions = [\n { name = \"virt\", allow = [\"LGPL-2.1\"] },\n]\n[sources]\n";

    #[track_caller]
    fn check(expression: &str, expected: bool) {
        let allowed =
            allowed("x = 1\n[licenses]\nallow = [ # the list ]\n \"MIT\",\n \"Apache-2.0\", \"Apache-2.0 WITH LLVM-exception\",\n]\n")
                .expect("a list");
        assert_eq!(is_allowed(expression, &allowed.everywhere), expected, "{expression}");
    }

    #[test]
    fn expressions_are_judged() {
        check("MIT", true);
        check("GPL-3.0-only", false);
        check("MIT OR GPL-3.0-only", true);
        check("MIT AND GPL-3.0-only", false);
        check("(MIT OR GPL-3.0-only) AND Apache-2.0", true);
        check("Apache-2.0 WITH LLVM-exception", true);
        check("GPL-3.0-only/MIT", true);
        check("MIT OR GPL-3.0-only AND ISC", true);
        check("MIT MIT", false);
    }

    #[test]
    fn exceptions_are_for_one_package() {
        let allowed = allowed(SAMPLE).expect("a list");
        let package = |name: &str| serde_json::json!({"name": name, "license": "LGPL-2.1"});
        assert_eq!(judge(&package("virt"), &allowed), None);
        assert!(judge(&package("other"), &allowed).is_some());
        assert!(judge(&serde_json::json!({"name": "bare", "license": null}), &allowed).is_some());
    }
}

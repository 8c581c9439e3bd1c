//! Runs a command line with both programs, each in its own copy of a directory, and says what differs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::command::{Line, SAVED};
use crate::Output;
use crate::output::run;

/// A program of ours that takes longer than this for one of the small clusters hangs.
const LIMIT: Duration = Duration::from_secs(120);
/// The reference is given this long; some of its searches would take hours.
const PATIENCE: Duration = Duration::from_secs(20);
/// Lines of a difference that are shown.
const SHOWN: usize = 12;

/// The two programs.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Debian's.
    pub reference: PathBuf,
    /// Ours.
    pub own: PathBuf,
}

/// What came of one command line.
#[derive(Debug)]
pub struct Verdict {
    /// Empty: they agree.
    pub differences: Vec<String>,
    /// The exit code of the reference.
    pub code: i32,
    pub reference: Duration,
    pub own: Duration,
}

impl Pair {
    /// Debian's program, and that of this tree in `bin_dir`.
    ///
    /// # Errors
    /// One of them is not there; the message says which package it is in.
    pub fn find(bin_dir: &Path) -> Result<Self> {
        let pair = Self { reference: PathBuf::from("/usr/bin/hbal"), own: bin_dir.join("htools") };
        anyhow::ensure!(
            pair.reference.exists(),
            "the reference is missing: install Debian's package ganeti (ganeti-htools, which has it too, cannot be beside ganeti-testsuite)"
        );
        anyhow::ensure!(pair.own.exists(), "{} is not built: run `cargo build -p gannet-htools`", pair.own.display());
        Ok(pair)
    }

    /// Runs both with the same input files. `None`: the reference takes too long, so nothing was compared.
    ///
    /// # Errors
    /// A program cannot be run, or ours does not end.
    pub fn run(&self, line: &Line, inputs: &[(&str, &str)], scratch: &Path) -> Result<Option<Verdict>> {
        let one = |program: &Path, name: &str, limit: Duration| -> Result<(Output, BTreeMap<String, String>)> {
            let dir = scratch.join(name);
            if dir.exists() {
                std::fs::remove_dir_all(&dir)?;
            }
            std::fs::create_dir_all(&dir)?;
            for (file, text) in inputs {
                std::fs::write(dir.join(file), text)?;
            }
            let mut command = Command::new(program);
            command.env("HTOOLS", line.tool).env("LC_ALL", "C.UTF-8").args(&line.args).current_dir(&dir);
            let output = run(&mut command, limit)?;
            let files = files(&dir, inputs)?;
            Ok((output, files))
        };
        let (reference, reference_files) = match one(&self.reference, "reference", PATIENCE) {
            Ok(found) => found,
            Err(error) if error.to_string().contains("did not end within") => return Ok(None),
            Err(error) => return Err(error.context("the reference")),
        };
        let (own, own_files) = one(&self.own, "own", LIMIT).context("our program")?;
        let mut differences = Vec::new();
        if reference.code() != own.code() {
            differences.push(format!("exit code {} here, {} there: {}{}", own.code(), reference.code(), own.stderr, reference.stderr));
        }
        texts(&mut differences, "standard output", &own.stdout, &reference.stdout);
        if reference.code() == 0 {
            texts(&mut differences, "standard error", &own.stderr, &reference.stderr);
        } else if own.stderr.is_empty() && own.stdout.is_empty() {
            differences.push("an error without a word".to_owned());
        }
        let names: std::collections::BTreeSet<&String> = reference_files.keys().chain(own_files.keys()).collect();
        for name in names {
            let text = |files: &BTreeMap<String, String>| files.get(name).cloned().unwrap_or_else(|| "(no such file)\n".to_owned());
            texts(&mut differences, &format!("file {name}"), &text(&own_files), &text(&reference_files));
        }
        Ok(Some(Verdict { differences, code: reference.code(), reference: reference.took, own: own.took }))
    }
}

/// A saved state without the free memory of its nodes: the reference writes what was free before the moves (a known defect,
/// listed in the manual page), ours what is free after them.
fn without_free_memory(text: &str) -> String {
    let mut section = 0;
    let line = |line: &str| {
        section += usize::from(line.is_empty());
        let mut fields: Vec<&str> = line.split('|').collect();
        if section == 1 && fields.len() > 8 {
            fields[3] = "";
        }
        fields.join("|")
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// The files that a run left behind.
fn files(dir: &Path, inputs: &[(&str, &str)]) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if inputs.iter().all(|(input, _)| *input != name) && entry.path().is_file() {
            found.insert(name.clone(), {
                let text = String::from_utf8_lossy(&std::fs::read(entry.path())?).into_owned();
                if name.starts_with(SAVED) { without_free_memory(&text) } else { text }
            });
        }
    }
    Ok(found)
}

/// The first lines in which two texts differ.
fn texts(differences: &mut Vec<String>, what: &str, own: &str, reference: &str) {
    if own == reference {
        return;
    }
    let (mut left, mut right) = (own.lines(), reference.lines());
    let mut shown = Vec::new();
    let mut number = 0_usize;
    loop {
        number += 1;
        match (left.next(), right.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                shown.push(format!("  line {number}\n    ours:   {}\n    theirs: {}", a.unwrap_or("(end)"), b.unwrap_or("(end)")));
                if shown.len() == SHOWN {
                    break;
                }
            }
        }
    }
    differences.push(format!("{what} differs:\n{}", shown.join("\n")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_its_line() {
        let mut found = Vec::new();
        texts(&mut found, "standard output", "a\nb\n", "a\nc\nd\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("line 2\n    ours:   b\n    theirs: c"), "{}", found[0]);
        assert!(found[0].contains("line 3\n    ours:   (end)\n    theirs: d"), "{}", found[0]);
        found.clear();
        texts(&mut found, "standard output", "a\n", "a\n");
        assert!(found.is_empty());
    }
}

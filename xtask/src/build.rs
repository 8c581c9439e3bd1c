//! Builds the programs with cargo: a bar on a terminal, plain lines elsewhere, compiler errors in full.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use crate::{repo, run, say};

/// A release build from nothing took 13 minutes on two contended cores.
const LIMIT: Duration = Duration::from_secs(5400);
/// Elsewhere than on a terminal: one line per this many compiled units.
const PLAIN_STEP: u64 = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Release,
    Dev,
}

impl Profile {
    fn directory(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Dev => "debug",
        }
    }
}

/// Builds all programs of the workspace (not the tools of this repository) and returns the directory they are in.
///
/// # Errors
/// A compiler error, after it has been shown.
pub fn programs(profile: Profile) -> Result<PathBuf> {
    let metadata = repo::metadata(true)?;
    let target = metadata["target_directory"].as_str().map(PathBuf::from).context("`cargo metadata` names no target directory")?;
    let packages = program_packages(&metadata);
    if packages.is_empty() {
        bail!("the workspace has no programs to build");
    }
    say::heading(format!("Building {} in {} mode", packages.join(", "), profile.directory()));
    let mut command = repo::cargo();
    command.args(["build", "--bins", "--message-format=json-render-diagnostics"]);
    for package in &packages {
        command.args(["-p", package]);
    }
    if profile == Profile::Release {
        command.arg("--release");
    }
    let count_file = target.join(format!(".xtask-units-{}", profile.directory()));
    let expected = expected_units(&metadata, &packages, &count_file);
    let mut progress = Progress::new(expected);
    let mut errors = String::new();
    let output = run::streamed(&mut command, LIMIT, |line| progress.take(line, &mut errors))?;
    let done = progress.finish();
    if !output.status.success() {
        say::line(errors.trim_end());
        bail!("the programs do not build ({}); correct the errors above and start again", run::status_text(output.status));
    }
    // Only for the bar of the next build; that it cannot be written harms nobody.
    let _ = fs::write(&count_file, done.to_string());
    Ok(target.join(profile.directory()))
}

/// The names of the programs that [`programs`] builds.
pub fn program_names() -> Result<Vec<String>> {
    let metadata = repo::metadata(false)?;
    let packages = program_packages(&metadata);
    let all = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(all.iter().filter(|p| packages.iter().any(|name| p["name"] == name.as_str())).flat_map(binaries).collect())
}

/// Fails, naming it, when a program is not in the directory.
pub fn require(bin_dir: &Path) -> Result<()> {
    for name in program_names()? {
        if !bin_dir.join(&name).is_file() {
            bail!(
                "{} is missing; leave out --bin-dir to have the programs built, or name the right directory",
                bin_dir.join(name).display()
            );
        }
    }
    Ok(())
}

/// Packages whose binaries are tools of this repository, not part of a cluster.
const NO_PROGRAMS: [&str; 3] = ["xtask", "gannet-qa", "gannet-man"];

fn program_packages(metadata: &Value) -> Vec<String> {
    let members: BTreeSet<&str> = metadata["workspace_members"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let all = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter()
        .filter(|package| package["id"].as_str().is_some_and(|id| members.contains(id)))
        .filter(|package| !NO_PROGRAMS.contains(&package["name"].as_str().unwrap_or_default()) && !binaries(package).is_empty())
        .filter_map(|package| package["name"].as_str().map(str::to_owned))
        .collect()
}

fn binaries(package: &Value) -> Vec<String> {
    let targets = package["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
    targets.iter().filter(|t| t["kind"][0] == "bin").filter_map(|t| t["name"].as_str().map(str::to_owned)).collect()
}

/// How many messages cargo will send: what it sent last time, else a count of the dependency tree.
fn expected_units(metadata: &Value, roots: &[String], count_file: &Path) -> u64 {
    if let Some(last) = fs::read_to_string(count_file).ok().and_then(|text| text.trim().parse().ok()) {
        return last;
    }
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let nodes = metadata["resolve"]["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut pending: Vec<&str> =
        packages.iter().filter(|p| roots.iter().any(|r| p["name"] == r.as_str())).filter_map(|p| p["id"].as_str()).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = pending.pop() {
        if !seen.insert(id) {
            continue;
        }
        let deps = nodes.iter().find(|n| n["id"] == id).and_then(|n| n["deps"].as_array());
        let used = deps
            .into_iter()
            .flatten()
            .filter(|d| d["dep_kinds"].as_array().is_some_and(|k| k.iter().any(|k| k["kind"] != "dev" && k["target"].is_null())));
        pending.extend(used.filter_map(|d| d["pkg"].as_str()));
    }
    let has_script = |id: &&str| {
        packages
            .iter()
            .any(|p| p["id"] == **id && p["targets"].as_array().is_some_and(|t| t.iter().any(|t| t["kind"][0] == "custom-build")))
    };
    // A build script is compiled and run: two messages more.
    (seen.len() + 2 * seen.iter().filter(|id| has_script(id)).count()) as u64
}

struct Progress {
    bar: ProgressBar,
    plain: bool,
    done: u64,
    compiled: u64,
    started: Instant,
}

impl Progress {
    fn new(expected: u64) -> Self {
        let plain = !say::is_terminal();
        let target = if plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(expected.max(1)), target);
        // The template is a constant; should it ever be wrong, the default style will do.
        if let Ok(style) = ProgressStyle::with_template("  {elapsed_precise} {bar:40} {pos}/{len} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, plain, done: 0, compiled: 0, started: Instant::now() }
    }

    /// One line of cargo: JSON on stdout, talk and rendered compiler messages on stderr.
    fn take(&mut self, line: &str, errors: &mut String) {
        if !line.starts_with('{') {
            let word = line.trim_start().split(' ').next().unwrap_or_default();
            if matches!(
                word,
                "Compiling" | "Blocking" | "Downloading" | "Downloaded" | "Updating" | "Fresh" | "Finished" | "Locking" | "Adding"
            ) {
                self.bar.set_message(line.trim().to_owned());
                if self.plain && word == "Blocking" {
                    say::line("  waiting for another cargo");
                }
            } else {
                errors.push_str(line);
                errors.push('\n');
            }
            return;
        }
        let Ok(message) = serde_json::from_str::<Value>(line) else { return };
        if !matches!(message["reason"].as_str(), Some("compiler-artifact" | "build-script-executed")) {
            return;
        }
        self.done += 1;
        if message["fresh"] == false {
            self.compiled += 1;
            if self.plain && self.compiled.is_multiple_of(PLAIN_STEP) {
                say::line(format!(
                    "  {} of about {} units, {} s",
                    self.done,
                    self.bar.length().unwrap_or(0),
                    self.started.elapsed().as_secs()
                ));
            }
        }
        // The length is an estimate: never show more than all of it.
        self.bar.set_length(self.bar.length().unwrap_or(0).max(self.done));
        self.bar.set_position(self.done);
    }

    fn finish(self) -> u64 {
        self.bar.finish_and_clear();
        say::line(format!(
            "  {} units compiled, {} up to date, {} s",
            self.compiled,
            self.done - self.compiled,
            self.started.elapsed().as_secs()
        ));
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_kept_and_chatter_is_not() {
        let mut progress = Progress::new(3);
        let mut errors = String::new();
        for line in [
            "   Compiling x v1",
            "error[E0425]: no such value",
            r#"{"reason":"compiler-artifact","fresh":false}"#,
            r#"{"reason":"build-finished"}"#,
        ] {
            progress.take(line, &mut errors);
        }
        assert_eq!((errors.as_str(), progress.done), ("error[E0425]: no such value\n", 1));
    }
}

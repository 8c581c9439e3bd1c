//! The tiers: what each runs, and how its result is counted.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;

use super::Score;
use crate::build::{self, Profile};
use crate::{repo, run, say, tidy};

/// Longer than any tier may take; the whole run has 40 minutes.
const LIMIT: Duration = Duration::from_secs(2400);
/// Where the tests find the programs that were built for them.
pub const BIN_DIR: &str = "GANNET_BIN_DIR";
/// Where they find this program.
pub const XTASK: &str = "GANNET_XTASK";
/// The package of the simulator, which needs no programs and has a profile of its own.
const SIM: &str = "gannet-sim";
/// Test targets of these names need root and real guests.
const REAL_TARGETS: &[&str] = &["vnodes", "lab"];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Work {
    Fmt,
    Clippy,
    Tidy,
    /// All tests that need neither the programs nor root.
    Unit,
    Deny,
    /// A test target that drives the programs: package and target.
    Target(String, String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    pub name: String,
    pub what: &'static str,
    work: Work,
}

impl Tier {
    /// All tiers of the workspace: the fixed ones, then the test targets of `qa/` and of the lab.
    pub fn all(metadata: &Value) -> Vec<Self> {
        let fixed = |name: &str, what, work| Self { name: name.to_owned(), what, work };
        let mut tiers = vec![
            fixed("fmt", "formatting", Work::Fmt),
            fixed("clippy", "lints", Work::Clippy),
            fixed("tidy", "rules of the tree", Work::Tidy),
            fixed("deny", "licences and advisories", Work::Deny),
            fixed("unit", "unit, property and golden tests", Work::Unit),
        ];
        let mut targets: Vec<Self> = driving_targets(metadata)
            .into_iter()
            .map(|(package, target)| {
                let what = match target.as_str() {
                    _ if REAL_TARGETS.contains(&target.as_str()) => "real guests on virtual nodes",
                    _ if package == SIM => "simulated clusters in which everything breaks",
                    _ => "real daemons on loopback",
                };
                Self { name: target.clone(), what, work: Work::Target(package, target) }
            })
            .collect();
        // The cheap ones first.
        targets.sort_by_key(|tier| (tier.needs_root(), tier.name.clone()));
        tiers.extend(targets);
        tiers
    }

    /// Whether it starts real nodes.
    pub fn needs_root(&self) -> bool {
        matches!(&self.work, Work::Target(_, target) if REAL_TARGETS.contains(&target.as_str()))
    }

    /// Runs it, showing its output. What cannot be run counts as failed.
    pub fn run(&self) -> Score {
        match self.try_run() {
            Ok(score) => score,
            Err(error) => {
                say::line(format!("FAILED: {error:#}"));
                Score { passed: 0, failed: 1 }
            }
        }
    }

    fn try_run(&self) -> Result<Score> {
        match &self.work {
            Work::Fmt => check(cargo(&["fmt", "--all", "--check"]), "run `cargo fmt --all`"),
            Work::Clippy => check(
                cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]),
                "correct what clippy says above",
            ),
            Work::Tidy => tidy::run().map(|()| Score { passed: 1, failed: 0 }),
            Work::Deny => deny(),
            Work::Unit => unit(),
            Work::Target(package, target) => self.drive(package, target),
        }
    }

    fn drive(&self, package: &str, target: &str) -> Result<Score> {
        if self.needs_root() && !nix::unistd::geteuid().is_root() {
            bail!("the tier {} needs root: run `cargo xtask test {}` as root", self.name, self.name);
        }
        let mut command = cargo(&["test", "-p", package, "--test", target]);
        if package == SIM {
            command.args(["--profile", crate::sim::PROFILE, "--", "--nocapture"]);
            return tests(command);
        }
        let programs = build::programs(Profile::Dev)?;
        command.env(BIN_DIR, &programs).env(XTASK, own_program()?);
        if self.needs_root() {
            // Real guests share two cores: one test at a time gives times that mean something.
            command.args(["--", "--test-threads=1"]);
        }
        tests(command)
    }
}

/// Test targets that need the built programs: all of `qa/`, and the lab's own.
fn driving_targets(metadata: &Value) -> Vec<(String, String)> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let driving = packages.iter().filter(|package| ["gannet-qa", "gannet-sim", "xtask"].iter().any(|name| package["name"] == *name));
    driving
        .flat_map(|package| {
            let name = package["name"].as_str().unwrap_or_default().to_owned();
            let targets = package["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
            targets.iter().filter(|t| t["kind"][0] == "test").filter_map(move |t| Some((name.clone(), t["name"].as_str()?.to_owned())))
        })
        .collect()
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = repo::cargo();
    command.args(arguments);
    command
}

fn check(mut command: Command, remedy: &str) -> Result<Score> {
    let output = run::streamed(&mut command, LIMIT, |line| say::line(line))?;
    if output.status.success() {
        return Ok(Score { passed: 1, failed: 0 });
    }
    bail!("`{}` ended with {}; {remedy}", run::describe(&command), run::status_text(output.status))
}

fn unit() -> Result<Score> {
    // Without --no-fail-fast the first failing crate would hide the others.
    let mut score =
        tests(cargo(&["test", "--workspace", "--exclude", "gannet-qa", "--exclude", SIM, "--exclude", "xtask", "--no-fail-fast"]))?;
    score.add(tests(cargo(&["test", "-p", "gannet-qa", "-p", "xtask", "--lib", "--no-fail-fast"]))?);
    Ok(score)
}

/// cargo-deny knows advisories, too. It is no part of a fresh machine; the licences are checked by `tidy` in any case.
fn deny() -> Result<Score> {
    let mut probe = cargo(&["deny", "--version"]);
    if !run::output(&mut probe, Duration::from_secs(60))?.status.success() {
        say::line("cargo-deny is not installed: only the licences are checked, by xtask");
        tidy::licences()?;
        return Ok(Score { passed: 1, failed: 0 });
    }
    check(cargo(&["deny", "--workspace", "check", "licenses", "bans", "sources"]), "see deny.toml")
}

/// Runs a test command and adds up what its test programs report.
fn tests(mut command: Command) -> Result<Score> {
    let mut score = Score::default();
    let mut reports = 0;
    let output = run::streamed(&mut command, LIMIT, |line| {
        if !is_noise(line) {
            say::line(line);
        }
        if let Some(found) = report(line) {
            score.add(found);
            reports += 1;
        }
    })?;
    if !output.status.success() && score.failed == 0 {
        // It did not compile, or a test program died.
        score.failed = 1;
        say::line(format!("FAILED: `{}` ended with {}", run::describe(&command), run::status_text(output.status)));
    }
    if reports == 0 {
        bail!("`{}` ran no test program", run::describe(&command));
    }
    Ok(score)
}

/// `test result: ok. 12 passed; 0 failed; …`
fn report(line: &str) -> Option<Score> {
    let numbers = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let count = |word: &str| numbers.split(';').find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok());
    Some(Score { passed: count(" passed")?, failed: count(" failed")? })
}

fn is_noise(line: &str) -> bool {
    let line = line.trim();
    line.is_empty()
        || (line.starts_with("test ") && line.ends_with("... ok"))
        || ["Compiling ", "Finished ", "Running ", "Doc-tests ", "running 0 tests"].iter().any(|start| line.starts_with(start))
        || line.starts_with("test result: ok. 0 passed")
}

/// This program's path. A build of the workspace may have put a new one in its place meanwhile; then the kernel says so in
/// the name of the old one, and the new one is meant.
fn own_program() -> Result<PathBuf> {
    let path = std::env::current_exe()?;
    Ok(path.to_str().and_then(|text| text.strip_suffix(" (deleted)")).map_or_else(|| path.clone(), PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        assert_eq!(
            report("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s"),
            Some(Score { passed: 12, failed: 0 })
        );
        assert_eq!(report("test result: FAILED. 1 passed; 2 failed; 0 ignored"), Some(Score { passed: 1, failed: 2 }));
        assert_eq!(report("test thing ... ok"), None);
    }

    #[test]
    fn every_test_target_of_qa_is_a_tier() {
        let metadata = serde_json::json!({"packages": [
            {"name": "gannet-qa", "targets": [{"kind": ["lib"], "name": "gannet_qa"}, {"kind": ["test"], "name": "vnodes"}, {"kind": ["test"], "name": "vcluster"}]},
            {"name": "gannet-core", "targets": [{"kind": ["test"], "name": "golden"}]}]});
        let names: Vec<_> = Tier::all(&metadata).into_iter().map(|tier| tier.name).collect();
        assert_eq!(names, ["fmt", "clippy", "tidy", "deny", "unit", "vcluster", "vnodes"]);
    }

    #[test]
    fn a_command_that_tests_nothing_fails() {
        let mut command = Command::new("sh");
        command.args(["-c", "true"]);
        assert!(tests(command).is_err());
    }
}

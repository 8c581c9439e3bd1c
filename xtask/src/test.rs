//! `cargo xtask test`: every tier, in order, and one line at the end.

pub mod tier;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::packages::{self, Group};
use crate::{repo, say};
use tier::Tier;

/// What the tests of a tier, or all of them, came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    pub passed: u64,
    pub failed: u64,
}

impl Score {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs the named tiers, or all.
pub fn run(wanted: &[String]) -> Result<ExitCode> {
    let tiers = select(Tier::all(&repo::metadata(false)?), wanted)?;
    packages::ensure(&groups(&tiers))?;
    let mut total = Score::default();
    let mut summary = Vec::new();
    for tier in &tiers {
        say::line("");
        say::heading(format!("== {}: {}", tier.name, tier.what));
        let started = Instant::now();
        let score = tier.run();
        summary.push(format!(
            "  {:<12} {:>5} passed {:>3} failed {:>5} s",
            tier.name,
            score.passed,
            score.failed,
            started.elapsed().as_secs()
        ));
        total.add(score);
    }
    say::line("");
    summary.iter().for_each(say::line);
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn select(all: Vec<Tier>, wanted: &[String]) -> Result<Vec<Tier>> {
    let names: Vec<String> = all.iter().map(|tier| tier.name.clone()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(name)) {
        bail!("there is no tier {unknown}; there are {}", names.join(", "));
    }
    Ok(all.into_iter().filter(|tier| wanted.is_empty() || wanted.contains(&tier.name)).collect())
}

fn groups(tiers: &[Tier]) -> Vec<Group> {
    let names: BTreeSet<&str> = tiers.iter().map(|tier| tier.name.as_str()).collect();
    let mut groups = Vec::new();
    if names.iter().any(|name| !matches!(*name, "fmt" | "tidy" | "deny")) {
        groups.extend([Group::Build, Group::Test]);
    }
    if tiers.iter().any(Tier::needs_root) {
        groups.push(Group::Real);
    }
    groups
}

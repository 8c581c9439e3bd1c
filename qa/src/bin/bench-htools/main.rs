//! The placement tools beside Debian's `ganeti-htools`, whole programs, in one run on one machine.
//!
//! `cargo run --release -p gannet-qa --bin bench-htools -- --write` builds `htools`, measures, prints the table and puts it into
//! docs/benchmarks.md. The reference needs hours for some rows; it gets a limit, or a part of the work. Where both do the same
//! and end, what they print is compared, too.
//!
//! `… -- --cluster 200,2000` prints the cluster of a row, to look at one by hand.

mod case;
mod row;
mod run;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use gannet_qa::htools::large::{self, Shape};
use gannet_qa::htools::text;
use gannet_qa::programs;

use case::Case;
use row::{HEAD, Row};
use run::run;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/benchmarks.md");
const BEGIN: &str = "<!-- placement: begin -->";
const END: &str = "<!-- placement: end -->";
const REFERENCE: &str = "/usr/bin/hbal";
/// CPU seconds for a program of ours; no row may need as much.
const LIMIT_S: u64 = 120;
/// Runs of ours; the fastest counts, as what else the machine does only ever adds.
const ROUNDS: usize = 3;

#[derive(Parser)]
struct Options {
    /// Only rows with this text in their name
    #[arg(long)]
    only: Option<String>,
    /// Do not run Debian's tools
    #[arg(long)]
    no_reference: bool,
    /// Print a cluster of so many nodes and instances instead
    #[arg(long, value_name = "NODES,INSTANCES", value_delimiter = ',', num_args = 2)]
    cluster: Option<Vec<usize>>,
    /// Put the rows into this document
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = DOCUMENT)]
    write: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [first, rest @ ..] = args.as_slice()
        && first == run::MARK
    {
        return run::start_one(rest);
    }
    let options = Options::parse();
    if let Some([nodes, instances]) = options.cluster.as_deref() {
        print!("{}", text::write(&large::cluster(*nodes, *instances, Shape::Uneven, 1)));
        return Ok(());
    }
    let own = build()?;
    let reference = (!options.no_reference).then(|| Path::new(REFERENCE));
    if let Some(path) = reference {
        ensure!(path.exists(), "the reference is missing: install Debian's package ganeti-htools, or use --no-reference");
    }
    let dir = tempfile::tempdir()?;
    let load = std::fs::read_to_string("/proc/loadavg")?.split(' ').next().unwrap_or_default().to_owned();
    HEAD.iter().for_each(|line| println!("{line}"));
    let mut lines = Vec::new();
    let chosen = |case: &Case| options.only.as_ref().is_none_or(|part| case.what.contains(part));
    for case in case::all().into_iter().filter(chosen) {
        let line = measure(&case, &own, reference, dir.path()).with_context(|| case.what)?.line();
        println!("{line}");
        lines.push(line);
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let about = format!("{processors} processors; load average before the run {load}.");
    eprintln!("{about}");
    options.write.map_or(Ok(()), |path| write(&path, &about, &lines))
}

/// Builds the program, unless the environment says where it is.
fn build() -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os(programs::BIN_DIR) {
        return Ok(PathBuf::from(dir).join("htools"));
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(["build", "--quiet", "--release", "-p", "gannet-htools", "--bins"]).status()?;
    ensure!(status.success(), "htools does not build");
    let own = std::env::current_exe().context("this program's own path is unknown")?;
    Ok(own.with_file_name("htools"))
}

fn measure(case: &Case, own: &Path, reference: Option<&Path>, dir: &Path) -> Result<Row> {
    let mut args: Vec<String> = case.args.iter().map(ToString::to_string).collect();
    args.extend(case.input.write(&dir.join("input"))?);
    let theirs = match reference.filter(|_| case.limit_s > 0) {
        None => None,
        Some(path) => {
            let args: Vec<String> = case.shorter.iter().map(ToString::to_string).chain(args.iter().cloned()).collect();
            Some(run(path, case.tool, &args, case.limit_s, dir)?)
        }
    };
    let mut ours = run(own, case.tool, &args, LIMIT_S, dir)?;
    for _ in 1..ROUNDS {
        let again = run(own, case.tool, &args, LIMIT_S, dir)?;
        if again.usage.wall_s < ours.usage.wall_s {
            ours = again;
        }
    }
    Ok(Row { case: case.clone(), theirs, ours })
}

/// Puts the rows between the marks in a document. Rows that were not measured this time stay.
fn write(path: &Path, about: &str, new: &[String]) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("no {BEGIN} in {}", path.display()))?;
    let (old, after) = rest.split_once(END).with_context(|| format!("no {END} in {}", path.display()))?;
    let names: Vec<&str> = case::all().iter().map(|case| case.what).collect();
    let rows = merged(&names, old, new).join("\n");
    std::fs::write(path, format!("{before}{BEGIN}\n{about}\n\n{rows}\n{END}{after}"))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The table: of each name the new line, else the old one.
fn merged(names: &[&str], old: &str, new: &[String]) -> Vec<String> {
    let line = |name: &&str| {
        let start = format!("| {name} |");
        let fits = |line: &&str| line.starts_with(&start);
        new.iter().map(String::as_str).find(fits).or_else(|| old.lines().find(fits)).map(str::to_owned)
    };
    HEAD.iter().map(ToString::to_string).chain(names.iter().filter_map(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_marks() {
        let text = std::fs::read_to_string(DOCUMENT).unwrap();
        assert!(text.contains(BEGIN) && text.contains(END));
    }

    #[test]
    fn rows_that_were_not_measured_stay() {
        let new = ["| b | 3 |".to_owned()];
        assert_eq!(merged(&["a", "b", "c"], "| a | 1 |\n| b | 2 |\n| gone | 4 |", &new)[2..], ["| a | 1 |", "| b | 3 |"]);
    }
}

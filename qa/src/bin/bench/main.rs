//! Whole-system benchmarks: Gannet and Debian's Ganeti on the same machine, by turns, in one run. Each figure that a disk
//! bounds stands beside that disk's `fdatasync`, measured in the same run.
//!
//! `cargo run --release -p gannet-qa --bin bench -- --write` builds the programs, measures, prints the table and puts it into
//! docs/benchmarks.md. It needs root and the packages of `cargo xtask packages build demo peer`; without them, `--no-peer` and
//! `--no-guests`. Nothing is left running when it ends, however it ends.

mod guest;
mod measure;
mod side;
mod table;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use gannet_qa::Cluster;
use gannet_qa::peer::Peer;
use gannet_qa::programs;

use side::Side;
use table::{Table, Unit, percentile};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/benchmarks.md");
const MIB: f64 = 1024.0;

#[derive(Parser)]
struct Options {
    /// Instances (diskless, hypervisor fake) for the rows that compare
    #[arg(long, default_value_t = 1000)]
    instances: usize,
    /// Instances for the rows that show how Gannet scales; 0 leaves them out
    #[arg(long, default_value_t = 10_000)]
    large: usize,
    /// Rounds of each latency of Gannet
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// Rounds of each latency of Ganeti
    #[arg(long, default_value_t = 20)]
    peer_rounds: usize,
    /// Do not measure Debian's Ganeti
    #[arg(long)]
    no_peer: bool,
    /// Do not measure the start of real guests
    #[arg(long)]
    no_guests: bool,
    /// Put the rows into this document
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = DOCUMENT)]
    write: Option<PathBuf>,
}

/// The sides, and the table that grows.
struct Bench {
    gannet: Side,
    ganeti: Option<Side>,
    options: Options,
    table: Table,
}

fn main() -> Result<()> {
    let options = Options::parse();
    build()?;
    let started = Instant::now();
    let load = std::fs::read_to_string("/proc/loadavg")?.split(' ').next().unwrap_or_default().to_owned();
    eprintln!("starting the clusters (load average {load})");
    let gannet = Side::Gannet(Cluster::start(1)?);
    let ganeti = if options.no_peer { None } else { Some(Side::Ganeti(Peer::start()?)) };
    let mut bench = Bench { gannet, ganeti, options, table: Table::new() };
    bench.run()?;
    let Bench { table, options, .. } = bench;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let about = format!("{processors} processors; load average before the run {load}; the run took {} s.", started.elapsed().as_secs());
    eprintln!("{about}");
    options.write.map_or(Ok(()), |path| table.write(&path, &about))
}

/// Builds the programs, unless the environment says where they are.
fn build() -> Result<()> {
    if std::env::var_os(programs::BIN_DIR).is_some() {
        return Ok(());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status =
        Command::new(cargo).args(["build", "--quiet", "--release", "--workspace", "--bins"]).status().context("cannot run cargo")?;
    ensure!(status.success(), "the programs do not build");
    Ok(())
}

impl Bench {
    fn run(&mut self) -> Result<()> {
        let (count, large) = (self.options.instances, self.options.large);
        let empty = self.latencies("no instance", None)?;
        self.both("trivial jobs, 64 clients", Unit::PerSecond, Some(1000.0), |side| match side {
            Side::Gannet(_) => measure::throughput(side, 64, 50),
            Side::Ganeti(_) => measure::throughput(side, 64, 1),
        })?;
        self.both("create 50 diskless instances", Unit::Seconds, Some(1.0), |side| {
            Ok(measure::create(side, "first", 50, true)?.as_secs_f64())
        })?;
        let memory = self.memory(50, None)?;
        self.grow(50, count)?;
        self.latencies(&format!("{count} instances"), Some(empty))?;
        self.list(count, 50.0)?;
        self.both("CLI start (`gnt-instance --help`)", Unit::Ms, Some(10.0), |side| {
            Ok(percentile(&measure::command(side, "gnt-instance", &["--help"], 20)?, 50))
        })?;
        for (path, must) in [("/version", 2000.0), ("/2/info", 2000.0), ("/2/instances?bulk=1", 100.0), ("/2/instances/first7", 0.0)] {
            let must = (must > 0.0).then_some(must);
            self.both(&format!("RAPI `{path}`, one connection"), Unit::PerSecond, must, |side| {
                measure::rapi(side, path, Duration::from_secs(3))
            })?;
        }
        let later = self.memory(count, Some(100.0))?;
        self.table.row("memory for each further instance", Unit::MiB, None, (later - memory) / (count - 50).max(1) as f64, None, "");
        let first_job = |side: &Side| {
            let times = (0..3).map(|_| measure::restart(side)).collect::<Result<Vec<_>>>()?;
            Ok(percentile(&times, 50) / 1e3)
        };
        self.both(&format!("start of the daemons to the first job, {count} instances"), Unit::Seconds, Some(0.3), first_job)?;
        // Nothing but Gannet is measured from here on.
        drop(self.ganeti.take());
        if large > count {
            self.grow(count, large)?;
            self.latencies(&format!("{large} instances"), Some(empty))?;
            self.list(large, 100.0)?;
            self.memory(large, None)?;
            self.both(&format!("start of the daemons to the first job, {large} instances"), Unit::Seconds, None, first_job)?;
        }
        if self.options.no_guests { Ok(()) } else { self.guests() }
    }

    /// The same of both sides, one after the other.
    fn both(&mut self, what: &str, unit: Unit, must: Option<f64>, measure: impl Fn(&Side) -> Result<f64>) -> Result<()> {
        let gannet = measure(&self.gannet).with_context(|| format!("{what}, {}", self.gannet.name()))?;
        let ganeti = self.ganeti.as_ref().map(|side| measure(side).with_context(|| format!("{what}, {}", side.name()))).transpose()?;
        self.table.row(what, unit, ganeti, gannet, must, "");
        Ok(())
    }

    /// Times of both sides, by turns in several parts, so that what else the machine does meets both.
    fn by_turns(&self, measure: fn(&Side, usize) -> Result<Vec<Duration>>) -> Result<(Vec<Duration>, Option<Vec<Duration>>)> {
        const PARTS: usize = 4;
        let (mut gannet, mut ganeti) = (Vec::new(), Vec::new());
        for _ in 0..PARTS {
            gannet.extend(measure(&self.gannet, self.options.rounds / PARTS)?);
            if let Some(side) = &self.ganeti {
                ganeti.extend(measure(side, self.options.peer_rounds / PARTS)?);
            }
        }
        Ok((gannet, self.ganeti.is_some().then_some(ganeti)))
    }

    /// Jobs of one client; `before` are the same figures without instances. Returns the medians.
    fn latencies(&mut self, label: &str, before: Option<[f64; 2]>) -> Result<[f64; 2]> {
        let Side::Gannet(cluster) = &self.gannet else { unreachable!("that side is Gannet") };
        let dir = cluster.master().data_dir.clone();
        let (trivial, tags) = (self.by_turns(measure::trivial)?, self.by_turns(measure::tags)?);
        let disk = percentile(&measure::fdatasync(&dir, self.options.rounds)?, 50);
        let mut medians = [0.0; 2];
        for (index, (what, (gannet, ganeti))) in [("trivial job", trivial), ("tag set", tags)].into_iter().enumerate() {
            medians[index] = percentile(&gannet, 50);
            let mut note = format!("p90 {:.2}", percentile(&gannet, 90));
            if let Some(before) = before {
                note += &format!(", {:+.0} % of none", (medians[index] / before[index] - 1.0) * 100.0);
            }
            let ganeti = ganeti.map(|times| percentile(&times, 50));
            self.table.row(&format!("{what}, one client, {label}, p50"), Unit::Ms, ganeti, medians[index], Some(2.0 * disk + 3.0), &note);
        }
        self.table.row(&format!("`fdatasync` of 4 KiB in place, same disk, {label}, p50"), Unit::Ms, None, disk, None, "");
        Ok(medians)
    }

    fn list(&mut self, count: usize, must: f64) -> Result<()> {
        self.both(&format!("`gnt-instance list`, {count} instances"), Unit::Ms, Some(must), |side| {
            Ok(percentile(&measure::command(side, "gnt-instance", &["list"], 20)?, 50))
        })
    }

    fn grow(&self, have: usize, count: usize) -> Result<()> {
        eprintln!("growing to {count} instances");
        let sides = std::iter::once(&self.gannet).chain(&self.ganeti);
        sides.into_iter().try_for_each(|side| side.grow("first0", have, count))
    }

    /// Returns what Gannet needs in all, in MiB.
    fn memory(&mut self, count: usize, must: Option<f64>) -> Result<f64> {
        let sum = |side: &Side| -> Result<(f64, f64, String)> {
            let memory = side.memory()?;
            let total = |of: fn(&side::Memory) -> u64| memory.iter().map(of).sum::<u64>() as f64 / MIB;
            let parts: Vec<_> =
                memory.iter().map(|one| format!("{} {:.0}", one.daemon.trim_start_matches("gannet-"), one.rss as f64 / MIB)).collect();
            Ok((total(|one| one.rss), total(|one| one.pss), parts.join(", ")))
        };
        let gannet = sum(&self.gannet)?;
        let ganeti = self.ganeti.as_ref().map(sum).transpose()?;
        let what = format!("memory of all daemons, {count} instances");
        self.table.row(&format!("{what}, RSS"), Unit::MiB, ganeti.as_ref().map(|ganeti| ganeti.0), gannet.0, must, &gannet.2);
        self.table.row(&format!("{what}, PSS"), Unit::MiB, ganeti.as_ref().map(|ganeti| ganeti.1), gannet.1, None, "");
        Ok(gannet.0)
    }

    fn guests(&mut self) -> Result<()> {
        eprintln!("starting real guests");
        let starts = guest::starts(15)?;
        let (job, virsh) = (percentile(&starts.jobs, 50), percentile(&starts.virsh, 50));
        self.table.row("start of a QEMU guest by `virsh create`, p50", Unit::Ms, None, virsh, None, "");
        self.table.row("the same by a whole job", Unit::Ms, None, job, Some(virsh + 50.0), &format!("{:+.0} ms", job - virsh));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_document_has_the_marks() {
        let text = std::fs::read_to_string(Path::new(DOCUMENT)).expect("the document is there");
        assert!(text.contains("<!-- rows: begin -->") && text.contains("<!-- rows: end -->"));
    }
}

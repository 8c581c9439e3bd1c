//! Many schedules, each in a process of its own, some at a time.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use gannet_daemon::world::Mistake;
use serde_json::Value;

use crate::mistakes::MISTAKES;

/// A schedule that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(20);

/// Which schedules.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) first: u64,
    /// As many as fit into this time.
    pub(crate) time: Duration,
    pub(crate) parallel: usize,
    pub(crate) chaos_s: u64,
    pub(crate) mistake: Option<Mistake>,
    /// End at the first that fails.
    pub(crate) until_failure: bool,
}

/// What they came to.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    pub(crate) schedules: u64,
    pub(crate) jobs: u64,
    pub(crate) harms: u64,
    pub(crate) masters: u64,
    pub(crate) calls: u64,
    pub(crate) simulated_s: u64,
    /// Seeds that failed, and how.
    pub(crate) failed: Vec<(u64, String)>,
    pub(crate) took: Duration,
}

struct Running {
    seed: u64,
    child: Child,
    since: Instant,
}

/// Runs schedules until the time is over, and lets the last ones end.
///
/// # Errors
/// A process cannot be started.
pub(crate) fn run(batch: &Batch) -> Result<Sum> {
    let begin = Instant::now();
    let (mut sum, mut running, mut next) = (Sum::default(), Vec::new(), batch.first);
    loop {
        let over = begin.elapsed() >= batch.time || (batch.until_failure && !sum.failed.is_empty());
        while !over && running.len() < batch.parallel {
            running.push(start(next, batch)?);
            next += 1;
        }
        if running.is_empty() {
            break;
        }
        std::thread::sleep(LOOK);
        let mut rest = Vec::new();
        for mut one in running {
            if over && batch.until_failure {
                end(&mut one.child);
            } else if one.child.try_wait()?.is_some() {
                take(one, &mut sum)?;
            } else if one.since.elapsed() > LIMIT {
                end(&mut one.child);
                sum.failed.push((one.seed, format!("it took longer than {} s", LIMIT.as_secs())));
            } else {
                rest.push(one);
            }
        }
        running = rest;
    }
    sum.took = begin.elapsed();
    Ok(sum)
}

fn start(seed: u64, batch: &Batch) -> Result<Running> {
    #[allow(clippy::disallowed_methods, reason = "this program again, for one schedule")]
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["one", "--seed", &seed.to_string(), "--chaos", &batch.chaos_s.to_string()]);
    if let Some((name, _)) = MISTAKES.iter().find(|(_, mistake)| Some(*mistake) == batch.mistake) {
        command.args(["--broken", name]);
    }
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("cannot start a schedule")?;
    Ok(Running { seed, child, since: Instant::now() })
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
    let _ = std::fs::remove_dir_all(crate::directory(child.id()));
}

fn take(one: Running, sum: &mut Sum) -> Result<()> {
    let id = one.child.id();
    let output = one.child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    // Only there when it ended by a signal.
    let _ = std::fs::remove_dir_all(crate::directory(id));
    sum.schedules += 1;
    match serde_json::from_str::<Value>(&text) {
        Ok(report) if output.status.success() => {
            let number = |name: &str| report[name].as_u64().unwrap_or_default();
            sum.jobs += number("jobs");
            sum.harms += number("harms");
            sum.masters += number("masters");
            sum.calls += number("calls");
            sum.simulated_s += number("simulated_s");
        }
        _ => sum.failed.push((one.seed, if text.is_empty() { format!("it ended with {}", output.status) } else { text })),
    }
    Ok(())
}

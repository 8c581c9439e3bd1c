//! Running a program and asking the kernel what it took.
//!
//! The kernel tells a parent the largest memory of all its children together, so each program is started by a process of its
//! own: this program again, with [`MARK`] as its first argument.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use serde::{Deserialize, Serialize};

/// The first argument of the process that starts a program; the CPU seconds that are allowed, the program and its arguments
/// follow.
pub(crate) const MARK: &str = "--start-one";

/// What a program took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) cpu_s: f64,
    pub(crate) wall_s: f64,
    pub(crate) rss_mib: f64,
    /// `None`: it was ended by a signal, as it is when its time is over.
    pub(crate) code: Option<i32>,
}

/// A program with what it took and said.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    pub(crate) usage: Usage,
    pub(crate) stdout: String,
}

/// Runs a tool of `program` for at most `limit_s` seconds of CPU time.
pub(crate) fn run(program: &Path, tool: &str, args: &[String], limit_s: u64, dir: &Path) -> Result<Ran> {
    let out = dir.join("out");
    let own = std::env::current_exe().context("this program's own path is unknown")?;
    let mut command = Command::new(own);
    command.arg(MARK).arg(limit_s.to_string()).arg(&out).arg(program).args(args);
    let output = command.env("HTOOLS", tool).env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output().context("cannot run myself")?;
    ensure!(output.status.success(), "{tool} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    let usage = serde_json::from_slice(&output.stdout)?;
    Ok(Ran { usage, stdout: String::from_utf8_lossy(&std::fs::read(&out)?).into_owned() })
}

/// The process that starts one program: prints its [`Usage`].
pub(crate) fn start_one(args: &[String]) -> Result<()> {
    let [limit, out, program, rest @ ..] = args else { anyhow::bail!("{MARK} is for this program itself") };
    let limit = limit.parse()?;
    // Its child inherits the limit; what this process itself needs is next to nothing.
    setrlimit(Resource::RLIMIT_CPU, limit, limit + 1)?;
    let start = Instant::now();
    let status = Command::new(program)
        .args(rest)
        .stdout(std::fs::File::create(out)?)
        .stderr(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    let wall_s = start.elapsed().as_secs_f64();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let cpu_s = seconds(used.user_time()) + seconds(used.system_time());
    let usage = Usage { cpu_s, wall_s, rss_mib: used.max_rss() as f64 / 1024.0, code: status.code() };
    println!("{}", serde_json::to_string(&usage)?);
    Ok(())
}

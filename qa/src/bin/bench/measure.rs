//! What is measured of one side. Every function returns times or rates of that side alone.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gannet_core::luxi::{Client, Method};
use gannet_qa::jobs;
use serde_json::{Value, json};

use crate::side::Side;

/// The longest wait of one question for a change, in seconds.
const WAIT_S: u64 = 30;

pub(crate) fn repeat(rounds: usize, mut once: impl FnMut() -> Result<()>) -> Result<Vec<Duration>> {
    let timed = |_| {
        let start = Instant::now();
        once()?;
        Ok(start.elapsed())
    };
    (0..rounds).map(timed).collect()
}

/// Submits a job and follows it as a client does: it waits for changes, and asks for nothing twice.
fn one(client: &mut Client, opcode: &Value) -> Result<()> {
    let id = jobs::submit(client, std::slice::from_ref(opcode))?;
    let ended = follow(client, id)?;
    ensure!(ended == "success", "job {id} ended with {ended}");
    Ok(())
}

fn follow(client: &mut Client, id: u64) -> Result<String> {
    let mut seen = Value::Null;
    loop {
        let change = client.call(Method::WaitForJobChange, &json!([id, ["status"], seen, null, WAIT_S]))?;
        if change != "nochange" {
            seen = change[0].clone();
            let status = seen[0].as_str().unwrap_or_default();
            if jobs::is_final(status) {
                return Ok(status.to_owned());
            }
        }
    }
}

/// Trivial jobs, one after the other.
pub(crate) fn trivial(side: &Side, rounds: usize) -> Result<Vec<Duration>> {
    let mut client = side.luxi()?;
    repeat(rounds, || one(&mut client, &side.nothing()))
}

/// Jobs that set a tag of the cluster.
pub(crate) fn tags(side: &Side, rounds: usize) -> Result<Vec<Duration>> {
    let mut client = side.luxi()?;
    let mut number = 0;
    repeat(rounds, || {
        number += 1;
        let tag = format!("t{}", number % 50);
        one(&mut client, &json!({"OP_ID": "OP_TAGS_SET", "kind": "cluster", "name": "", "tags": [tag], "reason": []}))
    })
}

/// Writes of 4 KiB in place, each made durable: what the disk gives.
pub(crate) fn fdatasync(dir: &Path, rounds: usize) -> Result<Vec<Duration>> {
    const BLOCK: [u8; 4096] = [7; 4096];
    const BLOCKS: u64 = 256;
    let path = dir.join("bench.tmp");
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    for block in 0..BLOCKS {
        file.write_all_at(&BLOCK, block * 4096)?;
    }
    file.sync_all()?;
    let mut block = 0;
    let times = repeat(rounds, || {
        block = (block + 1) % BLOCKS;
        file.write_all_at(&BLOCK, block * 4096)?;
        Ok(file.sync_data()?)
    });
    std::fs::remove_file(&path)?;
    times
}

/// Trivial jobs a second, by `clients` clients of which each follows its own.
pub(crate) fn throughput(side: &Side, clients: usize, each: usize) -> Result<f64> {
    let start = Instant::now();
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            let mut client = side.luxi()?;
            (0..each).try_for_each(|_| one(&mut client, &side.nothing()))
        };
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow::anyhow!("a client panicked"))?)
    })?;
    Ok((clients * each) as f64 / start.elapsed().as_secs_f64())
}

/// Creates instances in one submission; until the last job has ended.
pub(crate) fn create(side: &Side, prefix: &str, count: usize, install: bool) -> Result<Duration> {
    /// What one submission may hold.
    const AT_ONCE: usize = 1000;
    let mut client = side.luxi()?;
    let names: Vec<String> = (0..count).map(|number| format!("{prefix}{number}")).collect();
    let start = Instant::now();
    for names in names.chunks(AT_ONCE) {
        let wanted: Vec<_> = names.iter().map(|name| vec![side.create(name, install)]).collect();
        let submitted = client.call(Method::SubmitManyJobs, &json!([wanted]))?;
        for outcome in submitted.as_array().context("no list of jobs")? {
            let id = jobs::id(&outcome[1])?;
            let status = follow(&mut client, id)?;
            ensure!(status == "success", "{}", client.call(Method::QueryJobs, &json!([[id], ["opresult"]]))?);
        }
    }
    Ok(start.elapsed())
}

/// A command, from its start to its end.
pub(crate) fn command(side: &Side, program: &str, arguments: &[&str], rounds: usize) -> Result<Vec<Duration>> {
    repeat(rounds, || {
        let mut command = side.command(program);
        let output = command.args(arguments).stdin(Stdio::null()).output().with_context(|| format!("cannot run {program}"))?;
        ensure!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    })
}

/// Answers a second on one connection that is kept open where the server keeps it.
pub(crate) fn rapi(side: &Side, path: &str, time: Duration) -> Result<f64> {
    let mut rapi = side.rapi()?;
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < time {
        let response = match rapi.get(path) {
            Ok(response) => response,
            Err(_) if count > 0 => {
                rapi = side.rapi()?;
                rapi.get(path)?
            }
            Err(error) => return Err(error),
        };
        ensure!(response.status == 200, "{path} was answered with {}", response.status);
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// From the start of the stopped daemons to the end of the first job.
pub(crate) fn restart(side: &Side) -> Result<Duration> {
    side.stop_daemons()?;
    let start = Instant::now();
    side.start_daemons()?;
    one(&mut side.luxi()?, &side.nothing())?;
    Ok(start.elapsed())
}

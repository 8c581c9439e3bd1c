//! Whole-system benchmarks of issue-sized promises on a fake cluster, as a Markdown table. Each figure that a disk bounds is
//! printed beside that disk's `fdatasync`, measured in the same run.
//!
//! `cargo run --release -p gannet-qa --bin bench -- [--instances 1000]` (programs: those beside this one, or `GANNET_BIN_DIR`).

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use gannet_core::luxi::{Client, Method};
use gannet_qa::{Cluster, jobs};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(120);

#[derive(Parser)]
struct Options {
    /// Instances (diskless, fake) for the rows that speak of many
    #[arg(long, default_value_t = 1000)]
    instances: usize,
    /// Rounds of each latency
    #[arg(long, default_value_t = 200)]
    rounds: usize,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let cluster = Cluster::start(1)?;
    println!("| what | measured |\n|---|---|");
    latencies(&cluster, options.rounds, "no instance")?;
    row("trivial jobs, 64 clients", &format!("{:.0} jobs/s", throughput(&cluster)?));
    row("create 50 diskless instances", &format!("{:.2} s", create(&cluster, "first", 50)?.as_secs_f64()));
    let more = options.instances.saturating_sub(50);
    row(&format!("create {more} more in one submission"), &format!("{:.1} s", create(&cluster, "many", more)?.as_secs_f64()));
    latencies(&cluster, options.rounds, &format!("{} instances", options.instances))?;
    row(&format!("`gnt-instance list`, {} instances", options.instances), &percentiles(repeat(20, || command(&cluster, &["list"]))?));
    row("CLI start (`gnt-instance --help`)", &percentiles(repeat(20, || command(&cluster, &["--help"]))?));
    for path in ["/version", "/2/info", "/2/instances?bulk=1"] {
        row(&format!("RAPI `{path}`, one connection"), &format!("{:.0} req/s", rapi(&cluster, path)?));
    }
    for daemon in ["gannet-confd", "gannet-masterd", "gannet-noded", "gannet-rapi"] {
        let pid = cluster.daemon(cluster.master(), match_name(daemon)).pid().context("a daemon has died")?;
        row(&format!("memory of {daemon} (RSS)"), &format!("{:.1} MiB", rss(pid)? as f64 / 1024.0));
    }
    row("start of the daemons to the first job done", &format!("{:.3} s", restart(&cluster)?.as_secs_f64()));
    Ok(())
}

fn match_name(name: &str) -> &'static str {
    match name {
        "gannet-confd" => "gannet-confd",
        "gannet-masterd" => "gannet-masterd",
        "gannet-noded" => "gannet-noded",
        _ => "gannet-rapi",
    }
}

fn row(what: &str, measured: &str) {
    println!("| {what} | {measured} |");
}

fn repeat(rounds: usize, mut once: impl FnMut() -> Result<()>) -> Result<Vec<Duration>> {
    let timed = |_| {
        let start = Instant::now();
        once()?;
        Ok(start.elapsed())
    };
    (0..rounds).map(timed).collect()
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    format!("p50 {:.2} ms, p90 {:.2} ms", at(50), at(90))
}

fn one(client: &mut Client, opcode: &Value) -> Result<()> {
    let id = jobs::submit(client, std::slice::from_ref(opcode))?;
    let ended = follow(client, id)?;
    ensure!(ended == "success", "job {id} ended with {ended}");
    Ok(())
}

/// As a client follows a job: it waits for changes, and asks for nothing twice.
fn follow(client: &mut Client, id: u64) -> Result<String> {
    let mut seen = Value::Null;
    loop {
        let change = client.call(Method::WaitForJobChange, &json!([id, ["status"], seen, null, 30]))?;
        if change != "nochange" {
            seen = change[0].clone();
            let status = seen[0].as_str().unwrap_or_default();
            if jobs::is_final(status) {
                return Ok(status.to_owned());
            }
        }
    }
}

fn latencies(cluster: &Cluster, rounds: usize, label: &str) -> Result<()> {
    let mut client = cluster.luxi();
    let mut number = 0;
    let delay = repeat(rounds, || one(&mut client, &jobs::nothing()))?;
    let tag = repeat(rounds, || {
        number += 1;
        one(
            &mut client,
            &json!({"OP_ID": "OP_TAGS_SET", "kind": "cluster", "name": "", "tags": [format!("t{}", number % 50)], "reason": []}),
        )
    })?;
    let disk = fdatasync(&cluster.master().data_dir, rounds)?;
    row(&format!("trivial job, one LUXI client, {label}"), &percentiles(delay));
    row(&format!("tag set, one LUXI client, {label}"), &percentiles(tag));
    row("`fdatasync` of 4 KiB in place, same disk", &percentiles(disk));
    Ok(())
}

fn fdatasync(dir: &Path, rounds: usize) -> Result<Vec<Duration>> {
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

fn throughput(cluster: &Cluster) -> Result<f64> {
    const CLIENTS: usize = 64;
    const EACH: usize = 50;
    let start = Instant::now();
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            let mut client = cluster.luxi();
            (0..EACH).try_for_each(|_| one(&mut client, &jobs::nothing()))
        };
        let threads: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow::anyhow!("a client panicked"))?)
    })?;
    Ok((CLIENTS * EACH) as f64 / start.elapsed().as_secs_f64())
}

fn create(cluster: &Cluster, prefix: &str, count: usize) -> Result<Duration> {
    let mut client = cluster.luxi();
    let opcode = |number: usize| {
        json!({"OP_ID": "OP_INSTANCE_CREATE", "instance_name": format!("{prefix}{number}"), "mode": "create", "disk_template": "diskless", "disks": [],
            "nics": [], "os_type": "recording+default", "pnode": cluster.master().name, "hypervisor": "fake", "no_install": true,
            "start": true, "beparams": {"memory": 8}, "reason": []})
    };
    let start = Instant::now();
    let submitted = client.call(Method::SubmitManyJobs, &json!([(0..count).map(|number| vec![opcode(number)]).collect::<Vec<_>>()]))?;
    for outcome in submitted.as_array().context("no list of jobs")? {
        let ended = jobs::wait(&mut client, jobs::id(&outcome[1])?, LIMIT)?;
        ensure!(ended.status == "success", "{}", ended.text());
    }
    Ok(start.elapsed())
}

fn command(cluster: &Cluster, arguments: &[&str]) -> Result<()> {
    let output = cluster.gnt("gnt-instance", arguments);
    ensure!(output.code() == 0, "{}", output.describe());
    Ok(())
}

fn rapi(cluster: &Cluster, path: &str) -> Result<f64> {
    const FOR: Duration = Duration::from_secs(3);
    let mut rapi = cluster.rapi();
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < FOR {
        rapi.get(path)?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

fn rss(pid: i32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
}

fn restart(cluster: &Cluster) -> Result<Duration> {
    const ORDER: [&str; 3] = ["gannet-confd", "gannet-noded", "gannet-masterd"];
    for name in ORDER {
        cluster.daemon(cluster.master(), name).stop();
    }
    let start = Instant::now();
    for name in ORDER {
        cluster.daemon(cluster.master(), name).start();
    }
    one(&mut cluster.luxi(), &jobs::nothing())?;
    Ok(start.elapsed())
}

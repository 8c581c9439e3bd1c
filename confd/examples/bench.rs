//! What a durable write costs, beside the fdatasync of the same disk.
//!
//! `cargo run --release -p gannet-confd --example bench [DIR]`
#![allow(clippy::print_stdout)]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use gannet_confd::daemon::{self, Options};
use gannet_confd::{Client, Command, Identity, Key};
use tokio::sync::watch;

const SINGLE: usize = 500;
const CLIENTS: usize = 64;
const LOAD: Duration = Duration::from_secs(5);

fn main() -> anyhow::Result<()> {
    let base = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let dir = Path::new(&base).join(format!("confd-bench.{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(bench(&dir));
    std::fs::remove_dir_all(&dir)?;
    result
}

async fn bench(dir: &Path) -> anyhow::Result<()> {
    let identity = Identity { id: 1, name: "node1".to_owned(), address: "127.0.0.1:1816".to_owned() };
    let rows = (0..1000).map(|n| (Key::new("instance", format!("inst{n:05}")), text(n, 2000)));
    let data_dir = dir.join("data");
    gannet_confd::bootstrap(&data_dir, &identity, rows.collect()).await?;
    let options = Options {
        data_dir,
        socket: dir.join("socket"),
        bind: None,
        ca: dir.join("none"),
        node_cert: dir.join("none"),
        member_cert: dir.join("none"),
        reserve: 64 << 20,
    };
    let socket = options.socket.clone();
    let (stop, stopping) = watch::channel(false);
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let daemon = tokio::spawn(daemon::run(options, stopping, move || {
        let _ = ready.send(());
    }));
    is_ready.await?;
    let client = Client::connect(&socket).await?;
    while client.read_index().await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let epoch = client.status().await?.role.term;

    report("fdatasync, 4 KiB in place", &mut raw(dir)?);
    report("propose, 1 client", &mut single(&client, epoch).await?);
    report("fdatasync, 4 KiB in place", &mut raw(dir)?);
    load(&client, epoch).await?;
    report("propose, 1 client", &mut single(&client, epoch).await?);
    let status = client.status().await?;
    println!("log {} KiB, state {} KiB", status.log_bytes >> 10, status.state_bytes >> 10);
    println!("{}", memory()?);
    stop.send_replace(true);
    daemon.await??;
    Ok(())
}

fn text(number: usize, size: usize) -> String {
    format!("{{\"number\":{number},\"filler\":\"{}\"}}", "x".repeat(size))
}

/// Overwrites a block of a file that is there already.
fn raw(dir: &Path) -> anyhow::Result<Vec<Duration>> {
    let path = dir.join("raw");
    let file = File::create(&path)?;
    file.write_all_at(&vec![1; 4 << 20], 0)?;
    file.sync_all()?;
    let mut times = Vec::with_capacity(SINGLE);
    for number in 0..SINGLE {
        let block = [u8::try_from(number % 256)?; 4096];
        let start = Instant::now();
        file.write_all_at(&block, (number as u64 % 1024) * 4096)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(times)
}

async fn single(client: &Client, epoch: u64) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(SINGLE);
    for number in 0..SINGLE {
        let command = Command::new(epoch).put(Key::new("job", format!("{number}")), text(number, 1000));
        let start = Instant::now();
        client.propose(command).await?;
        times.push(start.elapsed());
    }
    Ok(times)
}

async fn load(client: &Client, epoch: u64) -> anyhow::Result<()> {
    let start = Instant::now();
    let tasks = (0..CLIENTS).map(|task| {
        let client = client.clone();
        tokio::spawn(async move {
            let mut times = Vec::new();
            while start.elapsed() < LOAD {
                let id = format!("{task}-{}", times.len() % 100);
                let command = Command::new(epoch).put(Key::new("job", id), text(task, 1000));
                let begun = Instant::now();
                client.propose(command).await?;
                times.push(begun.elapsed());
            }
            Ok::<_, gannet_confd::Error>(times)
        })
    });
    let mut times = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        times.extend(task.await??);
    }
    let rate = times.len() as f64 / start.elapsed().as_secs_f64();
    println!("propose, {CLIENTS} clients: {rate:.0}/s");
    report("  latency", &mut times);
    Ok(())
}

fn report(name: &str, times: &mut [Duration]) {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    println!("{name}: p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
}

fn memory() -> anyhow::Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.map(str::to_owned).context("no VmRSS in /proc/self/status")
}

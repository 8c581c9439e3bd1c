//! The time that Gannet adds to the start of a real guest: whole jobs beside `virsh create` of the same domain.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gannet_core::luxi::Client;
use gannet_qa::programs::Programs;
use gannet_qa::reaper::Reaper;
use gannet_qa::{jobs, output};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(300);
const JOB_LIMIT: Duration = Duration::from_secs(60);
const NAME: &str = "instance1.demo.gannet.example";

/// Medians would need more for a smaller error; each round takes a second or two.
pub(crate) struct Starts {
    pub(crate) jobs: Vec<Duration>,
    pub(crate) virsh: Vec<Duration>,
}

/// A cluster of one node with libvirt and QEMU, which ends with its value.
struct Real {
    programs: Programs,
    dir: PathBuf,
    _reaper: Reaper,
}

impl Real {
    fn start() -> Result<Self> {
        let programs = Programs::find()?;
        let dir = PathBuf::from(format!("/tmp/gannet-bench-real-{}", std::process::id()));
        let reaper = Reaper::watch(&programs, &dir, &std::env::temp_dir().join("gannet-bench-logs"))?;
        let real = Self { programs, dir, _reaper: reaper };
        let bin_dir = real.programs.bin_dir.display().to_string();
        real.xtask(&["--bare", "--nodes", "1", "--bin-dir", &bin_dir])?;
        Ok(real)
    }

    fn xtask(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.programs.xtask);
        command.arg("demo").arg("--dir").arg(&self.dir).args(arguments).env_remove(gannet_qa::cluster::MARK);
        let output = output::run(&mut command, LIMIT)?;
        ensure!(output.code() == 0, "{}", output.describe());
        Ok(output.stdout)
    }

    fn node(&self) -> Result<Value> {
        let path = self.dir.join("cluster.json");
        let file: Value = serde_json::from_slice(&std::fs::read(&path).with_context(|| format!("no {}", path.display()))?)?;
        Ok(file["nodes"][0].clone())
    }
}

/// Starts the same guest `rounds` times by a job and by `virsh`, by turns.
pub(crate) fn starts(rounds: usize) -> Result<Starts> {
    let real = Real::start()?;
    let node = real.node()?;
    let text = |key: &str| node[key].as_str().map(str::to_owned).with_context(|| format!("no {key} in cluster.json"));
    let (name, uri) = (text("name")?, text("libvirt_uri")?);
    let add = format!("exec -- gnt-instance add -t file --disk 0:size=16M -o tiny+default -n {name} {NAME}");
    real.xtask(&add.split_whitespace().collect::<Vec<_>>())?;
    let xml = real.dir.join("guest.xml");
    std::fs::write(&xml, virsh(&uri, &["dumpxml", NAME])?.1)?;
    let mut client = Client::connect(Path::new(&text("luxi_socket")?))?;
    let shutdown = json!({"OP_ID": "OP_INSTANCE_SHUTDOWN", "instance_name": NAME, "timeout": 0, "reason": []});
    let startup = json!({"OP_ID": "OP_INSTANCE_STARTUP", "instance_name": NAME, "reason": []});
    job(&mut client, &shutdown)?;
    let mut starts = Starts { jobs: Vec::new(), virsh: Vec::new() };
    let xml = xml.display().to_string();
    for _ in 0..rounds {
        starts.jobs.push(job(&mut client, &startup)?);
        job(&mut client, &shutdown)?;
        starts.virsh.push(virsh(&uri, &["create", &xml])?.0);
        virsh(&uri, &["destroy", NAME])?;
    }
    Ok(starts)
}

fn job(client: &mut Client, opcode: &Value) -> Result<Duration> {
    let start = Instant::now();
    let id = jobs::submit(client, std::slice::from_ref(opcode))?;
    let ended = jobs::wait(client, id, JOB_LIMIT)?;
    let took = start.elapsed();
    ensure!(ended.status == "success", "{}", ended.text());
    Ok(took)
}

fn virsh(uri: &str, arguments: &[&str]) -> Result<(Duration, Vec<u8>)> {
    let start = Instant::now();
    let mut command = Command::new("virsh");
    let output = command.args(["-q", "-c", uri]).args(arguments).stdin(Stdio::null()).output().context("cannot run virsh")?;
    ensure!(output.status.success(), "virsh {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok((start.elapsed(), output.stdout))
}

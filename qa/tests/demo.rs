//! `cargo xtask demo` and the tests themselves, interrupted: nothing is left behind, and they work again.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gannet_qa::output::{self, Output};
use gannet_qa::programs::Programs;
use gannet_qa::{Cluster, wait_for};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The longest that anything takes; only a failure waits for it.
const SOON: Duration = Duration::from_secs(180);

struct Demo {
    programs: Programs,
    dir: PathBuf,
}

impl Demo {
    fn new(name: &str) -> Self {
        Self { programs: Programs::find().unwrap(), dir: PathBuf::from(format!("/tmp/gannet-qa-{name}-{}", std::process::id())) }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.programs.xtask);
        command.args(["demo", "--fake", "--dir"]).arg(&self.dir).args(arguments).env_remove(gannet_qa::cluster::MARK);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        output::run(&mut self.command(arguments), SOON).unwrap_or_else(|error| panic!("{error:#}"))
    }

    fn start(&self) -> Output {
        self.run(&["--bare", "--nodes", "2", "--bin-dir", self.programs.bin_dir.to_str().unwrap()])
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.run(&["stop"]);
    }
}

/// Processes that belong to a cluster below `dir`.
fn processes(dir: &Path) -> Vec<String> {
    let mark = format!("{}={}", gannet_qa::cluster::MARK, dir.display());
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours = entries.filter(|entry| {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|pair| pair.starts_with(mark.as_bytes()))
    });
    ours.map(|entry| String::from_utf8_lossy(&std::fs::read(entry.path().join("cmdline")).unwrap_or_default()).into_owned()).collect()
}

/// Waits for a line with `word`, then sends Ctrl-C to the whole group, as a terminal does. All that was said.
fn interrupt_at(child: &Child, output: impl Read, word: &str) -> String {
    let mut said = String::new();
    let mut lines = BufReader::new(output).lines();
    for line in lines.by_ref().map_while(Result::ok) {
        let found = line.contains(word);
        said.push_str(&line);
        said.push('\n');
        if found {
            killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
            break;
        }
    }
    lines.map_while(Result::ok).for_each(|line| said.push_str(&line));
    said
}

#[test]
fn a_demo_that_is_interrupted_leaves_nothing() {
    let demo = Demo::new("interrupted");
    // While nodes join, and in the middle of the story.
    for word in ["gnt-node add", "3. An instance"] {
        let mut command = demo.command(&["--nodes", "3", "--bin-dir", demo.programs.bin_dir.to_str().unwrap()]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0).spawn().unwrap();
        let output = child.stderr.take().unwrap();
        let said = interrupt_at(&child, output, word);
        let status = wait_for("the end of the demo", SOON, || child.try_wait().unwrap()).unwrap();
        assert_eq!(status.code(), Some(130), "at «{word}»: {said}");
        assert!(!demo.dir.exists(), "{} is left after an interruption at «{word}»", demo.dir.display());
        assert_eq!(processes(&demo.dir), Vec::<String>::new(), "after an interruption at «{word}»");
    }
    demo.start().ok();
}

#[test]
fn exit_codes_are_passed_on_and_stopping_twice_is_fine() {
    let demo = Demo::new("codes");
    demo.run(&["stop"]).ok().says(&["nothing to stop"]);
    assert_eq!(demo.run(&["exec", "--", "true"]).code(), 1, "there is no cluster yet");
    demo.start().ok();
    demo.run(&["exec", "--", "gnt-cluster", "verify"]).ok();
    assert_eq!(demo.run(&["exec", "--", "sh", "-c", "exit 7"]).code(), 7);
    assert_eq!(demo.run(&["exec", "--node", "node2.demo.gannet.example", "--", "sh", "-c", "kill -9 $$"]).code(), 128 + 9);
    assert_eq!(demo.run(&["exec", "--", "gnt-instance", "list", "--nosuch"]).code(), 2);
    demo.run(&["exec", "--", "no-such-program"]).exits(127).says(&["no-such-program"]);
    // Over a running cluster: the earlier one is ended first.
    demo.start().ok().says(&["ending the cluster of an earlier run"]);
    demo.run(&["stop"]).ok().says(&["no process, namespace, mount or interface"]);
    assert_eq!(processes(&demo.dir), Vec::<String>::new());
    demo.run(&["stop"]).ok().says(&["nothing to stop"]);
}

/// Not a test of its own: what the next one interrupts.
#[test]
#[ignore = "it waits for ever: `a_test_that_is_interrupted_leaves_nothing` runs and interrupts it"]
fn a_test_that_waits() {
    let cluster = Cluster::fake(2);
    println!("the cluster is in {}", cluster.dir.display());
    loop {
        std::thread::park();
    }
}

#[test]
fn a_test_that_is_interrupted_leaves_nothing() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", "a_test_that_waits"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0).spawn().unwrap();
    let output = child.stdout.take().unwrap();
    let said = interrupt_at(&child, output, "the cluster is in ");
    let dir = PathBuf::from(said.lines().find_map(|line| line.split_once("the cluster is in ")).expect("its directory").1);
    let status = wait_for("the end of the test", SOON, || child.try_wait().unwrap()).unwrap();
    assert_eq!(status.signal(), Some(2), "{status}");
    // Who watches it works on for a moment.
    wait_for("the end of its cluster", SOON, || (processes(&dir).is_empty() && !dir.exists()).then_some(())).unwrap();
}

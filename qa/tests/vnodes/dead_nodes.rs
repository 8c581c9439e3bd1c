//! Nodes die under real guests: without power, or cut off and alive. With the default times each guest runs elsewhere within a
//! minute, and never on two nodes: seen from outside, by the heartbeats that guests write to the consoles of their nodes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gannet_qa::programs::Programs;
use gannet_qa::wait_for;

use super::Demo;

/// From the loss of a node to guests that run again.
const LIMIT: Duration = Duration::from_secs(60);
const NODES: usize = 3;

fn node(number: usize) -> String {
    format!("node{number}.demo.gannet.example")
}

/// The shared log: when which node's console of an instance got a heartbeat.
struct Heartbeats {
    beats: Arc<Mutex<Vec<(Instant, usize)>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeats {
    fn of(demo: &Demo, instance: &str) -> Self {
        let logs: Vec<PathBuf> =
            (1..=NODES).map(|n| PathBuf::from(format!("{}/node{n}/var/log/ganeti/kvm/{instance}.console", demo.dir))).collect();
        let (beats, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (heard, end) = (beats.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut offsets: Vec<u64> = logs.iter().map(|log| std::fs::metadata(log).map_or(0, |meta| meta.len())).collect();
            while !end.load(Ordering::Relaxed) {
                for (at, log) in logs.iter().enumerate() {
                    let mut text = Vec::new();
                    let Ok(mut file) = File::open(log) else { continue };
                    if file.seek(SeekFrom::Start(offsets[at])).is_ok() && file.read_to_end(&mut text).is_ok() {
                        offsets[at] += text.len() as u64;
                        if text.windows(3).any(|word| word == b"HB ") {
                            heard.lock().unwrap().push((Instant::now(), at + 1));
                        }
                    }
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Self { beats, stop, thread: Some(thread) }
    }

    fn last(&self) -> Option<usize> {
        self.beats.lock().unwrap().last().map(|(_, node)| *node)
    }

    /// Waits for it on another node than `dead`, and says how long after `begun` it was there.
    #[track_caller]
    fn elsewhere(&self, demo: &Demo, dead: usize, begun: Instant) -> (usize, Duration) {
        let found = wait_for("heartbeats elsewhere", LIMIT + Duration::from_secs(10), || self.last().filter(|node| *node != dead));
        let found = found.unwrap_or_else(|error| {
            let logs = (1..=NODES).map(|n| std::fs::read_to_string(format!("{}/node{n}/var/log/ganeti/master-daemon.log", demo.dir)));
            panic!("{error:#}\n{}", logs.map(Result::unwrap_or_default).collect::<Vec<_>>().join("\n"))
        });
        (found, begun.elapsed())
    }

    /// Ends the watch. The nodes in the order in which it ran there; no beat of one came among those of another.
    #[track_caller]
    fn story(mut self) -> Vec<usize> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        let beats = self.beats.lock().unwrap();
        let mut story: Vec<usize> = beats.iter().map(|(_, node)| *node).collect();
        story.dedup();
        for (at, node) in story.iter().enumerate() {
            assert!(!story[..at].contains(node), "it ran on two nodes at once: {story:?}");
        }
        story
    }
}

impl Drop for Heartbeats {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[test]
fn guests_outlive_their_nodes() {
    let demo = Demo { dir: format!("/tmp/gannet-qa-dead-{}", std::process::id()), programs: Programs::find().unwrap() };
    let bin_dir = demo.programs.bin_dir.display().to_string();
    demo.xtask(&["--bare", "--nodes", "3", "--candidates", "3", "--bin-dir", &bin_dir]).ok();
    for (number, at) in [(1, 2), (2, 3), (3, 1)] {
        let line = format!(
            "gnt-instance add -t sharedfile --disk 0:size=16M -o tiny+default -B memory=64M -n {} instance{number}.demo.gannet.example",
            node(at)
        );
        demo.exec(&line).ok();
    }
    let voters = || demo.exec("gannet-confd status").stdout.matches(": voter").count();
    wait_for("three voters", Duration::from_secs(60), || (voters() == 3).then_some(())).unwrap();
    demo.exec("gnt-cluster add-tags gannet:auto-failover:yes").ok();
    for at in 1..=NODES {
        guarded(&demo, at);
    }
    without_power(&demo);
    cut_off(&demo);
    the_master(&demo);
}

/// Waits until a node has a lease, and one renewal more, so that the store knows what it guards.
#[track_caller]
fn guarded(demo: &Demo, at: usize) {
    let guards = || demo.on(&format!("node{at}"), "grep -q demo.gannet.example /run/ganeti/gannet-lease.json").code() == 0;
    wait_for("a lease", Duration::from_secs(60), || guards().then_some(())).unwrap();
    std::thread::sleep(Duration::from_secs(3));
}

fn without_power(demo: &Demo) {
    let watch = Heartbeats::of(demo, "instance1.demo.gannet.example");
    wait_for("heartbeats", LIMIT, || (watch.last() == Some(2)).then_some(())).unwrap();
    let begun = Instant::now();
    demo.xtask(&["off", "node2"]).ok();
    let (now, took) = watch.elsewhere(demo, 2, begun);
    println!("power lost on node2: the guest's heart beats on node{now} after {:.1} s", took.as_secs_f64());
    assert!(took < LIMIT, "{took:?}");
    demo.xtask(&["on", "node2"]).ok();
    come_back(demo, 2, &node(1));
    assert_eq!(watch.story(), [2, now]);
}

fn cut_off(demo: &Demo) {
    let watch = Heartbeats::of(demo, "instance2.demo.gannet.example");
    wait_for("heartbeats", LIMIT, || (watch.last() == Some(3)).then_some(())).unwrap();
    let begun = Instant::now();
    demo.xtask(&["cut", "node3"]).ok();
    let (now, took) = watch.elsewhere(demo, 3, begun);
    println!("node3 cut off: the guest's heart beats on node{now} after {:.1} s", took.as_secs_f64());
    assert!(took < LIMIT, "{took:?}");
    let runs = demo.on("node3", "virsh -q -c qemu:///system list --name").ok().stdout;
    assert!(!runs.contains("instance2"), "{runs}");
    demo.xtask(&["join", "node3"]).ok();
    come_back(demo, 3, &node(1));
    assert_eq!(watch.story(), [3, now]);
}

/// The master's machine with a guest of its own: the next master has to wait for a lease that it has not granted.
fn the_master(demo: &Demo) {
    let watch = Heartbeats::of(demo, "instance3.demo.gannet.example");
    wait_for("heartbeats", LIMIT, || (watch.last() == Some(1)).then_some(())).unwrap();
    let begun = Instant::now();
    demo.xtask(&["off", "node1"]).ok();
    let (now, took) = watch.elsewhere(demo, 1, begun);
    println!("power lost on the master: the heart of its guest beats on node{now} after {:.1} s", took.as_secs_f64());
    assert!(took < LIMIT, "{took:?}");
    assert_eq!(watch.story(), [1, now]);
}

/// The operator brings a node back.
#[track_caller]
fn come_back(demo: &Demo, at: usize, master: &str) {
    let line = format!("gnt-node modify --offline=no {}", node(at));
    wait_for("the node to come back", Duration::from_secs(90), || (demo.exec_on(master, &line).code() == 0).then_some(())).unwrap();
    // A second loss before that would be one too many.
    let voters = || demo.exec_on(master, "gannet-confd status").stdout.matches(": voter").count();
    wait_for("three voters", Duration::from_secs(60), || (voters() == 3).then_some(())).unwrap();
    demo.exec_on(master, "gnt-cluster verify").ok();
}

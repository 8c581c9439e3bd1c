//! harep beside Debian's: the same lines and the same jobs, on clusters with tags from a seed and a master daemon that only pretends.
//!
//! `GANNET_SEED` chooses another seed, `GANNET_ROUNDS` how many clusters.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use gannet_qa::htools::luxi::{Master, World};
use gannet_qa::output::{Output, run};
use gannet_qa::programs::Programs;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

/// Debian's program.
const REFERENCE: &str = "/usr/bin/harep";
/// What all tags about repairs begin with.
const PREFIX: &str = "ganeti:watcher:autorepair:";
/// The reference looks at each job of its own after half a second.
const LIMIT: Duration = Duration::from_secs(120);

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text}")))
}

fn policy() -> Value {
    let spec = |n: u64| json!({"memory-size": n, "cpu-count": n, "disk-size": n, "disk-count": n, "nic-count": n, "spindle-use": n});
    json!({"minmax": [{"min": spec(1), "max": spec(16)}], "std": spec(2), "disk-templates": ["drbd", "plain"],
        "vcpu-ratio": 4.0, "spindle-ratio": 32.0})
}

fn node(name: &str, group: &str, offline: bool, drained: bool) -> Value {
    json!({"name": name, "mtotal": 16384, "mnode": 512, "mfree": 12000, "dtotal": 100_000, "dfree": 90000, "ctotal": 8, "cnos": 1,
        "offline": offline, "drained": drained, "vm_capable": true, "ndp/spindle_count": 1, "group.uuid": group, "tags": [],
        "ndp/exclusive_storage": false, "sptotal": 0, "spfree": 0, "ndp/cpu_speed": 1.0})
}

fn instance(name: &str, template: &str, nodes: &[String], tags: &[String]) -> Value {
    json!({"name": name, "disk_usage": 128, "be/memory": 128, "be/vcpus": 1, "status": "running", "pnode": nodes[0],
        "snodes": nodes[1..], "tags": tags, "be/auto_balance": true, "disk_template": template, "be/spindle_use": 1,
        "disk.sizes": [128], "disk.spindles": [null], "forthcoming": false})
}

/// Tags that allow repairs, or suspend them.
fn permissions(rng: &mut StdRng, chance: f64) -> Vec<String> {
    let kinds = [
        "fix-storage",
        "migrate",
        "failover",
        "reinstall",
        "failover",
        "reinstall",
        "reinstall",
        "suspend",
        "suspend:",
        "suspend:12",
        "suspend:1900000000",
        "repaint",
    ];
    let mut tags: Vec<String> = Vec::new();
    while rng.random_bool(chance) && tags.len() < 3 {
        tags.push(format!("{PREFIX}{}", kinds.choose(rng).unwrap_or(&"failover")));
    }
    tags
}

/// Tags about earlier repairs. Few, so that most clusters can be read.
fn records(rng: &mut StdRng) -> Vec<String> {
    let mut tags = Vec::new();
    while rng.random_bool(0.3) && tags.len() < 3 {
        let (kind, id) = (["fix-storage", "failover", "reinstall"].choose(rng).unwrap_or(&"failover"), rng.random_range(1..4));
        let (time, jobs) = (rng.random_range(1..40), ["", "7", "8", "9", "7+8", "7+9"].choose(rng).unwrap_or(&"7"));
        let result = ["enoperm", "success", "failure", "success"].choose(rng).unwrap_or(&"success");
        // With no jobs at all the reference asks for the states of all jobs there are.
        tags.push(if rng.random_bool(0.2) && !jobs.is_empty() {
            format!("{PREFIX}pending:{kind}:u{id}:{time}:{jobs}")
        } else {
            format!("{PREFIX}result:{kind}:u{id}:{time}:{result}:{jobs}")
        });
    }
    tags
}

fn world(rng: &mut StdRng) -> World {
    let groups = ["uuid-a", "uuid-b"];
    let nodes: Vec<Value> = (0..6)
        .map(|at| node(&format!("node{at}"), groups[at % 2], at > 0 && rng.random_bool(0.4), at > 0 && rng.random_bool(0.1)))
        .collect();
    let instances = (0..10).map(|at| {
        let template = *["drbd", "drbd", "drbd", "plain", "sharedfile"].choose(rng).unwrap_or(&"drbd");
        // On other templates ours does more; they stay on the first node, which is fine.
        let primary = if template == "sharedfile" { 0 } else { rng.random_range(0..6) };
        let mut own = vec![format!("node{primary}")];
        if template == "drbd" {
            own.push(format!("node{}", (primary + 2 * rng.random_range(1..3)) % 6));
        }
        let mut tags = permissions(rng, 0.6);
        tags.extend(records(rng));
        tags.dedup();
        instance(&format!("inst{at}"), template, &own, &tags)
    });
    let instances = instances.collect();
    let group = |uuid: &&str, tags: Vec<String>| json!({"uuid": uuid, "name": uuid, "alloc_policy": "preferred", "ipolicy": policy(), "tags": tags});
    World {
        groups: groups.iter().map(|uuid| group(uuid, permissions(rng, 0.3))).collect(),
        nodes,
        instances,
        info: json!({"tags": permissions(rng, 0.4), "ipolicy": policy(), "master": "node0", "default_hypervisor": "fake", "name": "c"}),
        jobs: BTreeMap::from([(8, "error"), (9, "running")]),
    }
}

/// Runs one of both, and gives back what it said and which jobs it gave.
fn one(own: bool, programs: &Programs, dir: &Path, world: &World, args: &[&str]) -> (Output, Vec<Value>) {
    let socket = dir.join(if own { "own" } else { "reference" });
    let master = Master::start(&socket, world.clone()).expect("the socket can be made");
    let mut command = if own { Command::new(programs.bin_dir.join("htools")) } else { Command::new(REFERENCE) };
    command.env("HTOOLS", "harep").env("LC_ALL", "C.UTF-8").env("TZ", "Europe/Berlin");
    let output = run(command.arg(format!("-L{}", socket.display())).args(args), LIMIT).expect("it ends in time");
    std::fs::remove_file(&socket).expect("the socket is there");
    (output, master.submitted())
}

/// A text without what differs in every run: identifiers of repairs, and the time.
fn steady(text: &str) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let word = |word: &str| {
        let recent = word.parse::<u64>().is_ok_and(|time| time.abs_diff(now) < 3600 || (time / 1_000_000_000).abs_diff(now) < 3600);
        let id = word.len() == 36 && word.matches('-').count() == 4;
        if recent {
            "NOW".to_owned()
        } else if id {
            "ID".to_owned()
        } else {
            word.to_owned()
        }
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(end) = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-')) {
        let separator = rest[end..].chars().next().map_or(1, char::len_utf8);
        out.push_str(&word(&rest[..end]));
        out.push_str(&rest[end..end + separator]);
        rest = &rest[end + separator..];
    }
    out + &word(rest)
}

/// Opcodes without what is not written, and without the version in comments and reasons; numbers as they are meant.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, value)| !value.is_null() && *name != "comment");
            kept.map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        Value::Array(list) => match list.as_slice() {
            [source, Value::String(reason), _] if source == "harep" => {
                json!([source, if reason.ends_with(" called") { "called" } else { reason }])
            }
            _ => list.iter().map(plain).collect(),
        },
        Value::Number(number) => json!(number.as_f64()),
        Value::String(text) => json!(steady(text)),
        other => other.clone(),
    }
}

/// The lines, with jobs as what they mean.
fn lines(output: &Output) -> Vec<Value> {
    let line = |line: &str| match line.strip_prefix("jobs: ") {
        Some(jobs) => plain(&serde_json::from_str(jobs).expect("jobs are JSON")),
        None => json!(steady(line)),
    };
    output.stdout.lines().map(line).collect()
}

/// Compares both on clusters of some seeds. Says how many runs ended with an error, how many repairs began, and how many jobs were
/// submitted.
fn compare(rounds: u64, args: &[&str]) -> (u64, usize, usize) {
    let programs = Programs::find().expect("the programs are built");
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let (mut refused, mut begun, mut jobs) = (0, 0, 0);
    let first = number("GANNET_SEED", 1);
    for seed in first..first + number("GANNET_ROUNDS", rounds) {
        let world = world(&mut StdRng::seed_from_u64(seed));
        let (reference, expected) = one(false, &programs, dir.path(), &world, args);
        let (own, given) = one(true, &programs, dir.path(), &world, args);
        let what = format!("seed {seed}: {}\n{}", reference.describe(), own.describe());
        assert_eq!(own.code(), reference.code(), "{what}");
        assert_eq!(lines(&own), lines(&reference), "{what}");
        assert_eq!(given.iter().map(plain).collect::<Vec<_>>(), expected.iter().map(plain).collect::<Vec<_>>(), "{what}");
        if own.code() != 0 {
            refused += 1;
            assert_eq!(own.stderr, reference.stderr, "{what}");
        }
        begun += own.stdout.matches("Executing").count();
        jobs += given.len();
    }
    println!("harep {}: {refused} errors, {begun} repairs, {jobs} jobs", args.join(" "));
    (refused, begun, jobs)
}

/// Enough happens in a normal run for the comparison to say something.
#[track_caller]
fn says_something((refused, begun, jobs): (u64, usize, usize), runs: u64, submits: bool) {
    if std::env::var_os("GANNET_ROUNDS").is_none() {
        assert!(refused * 3 < runs && begun > 0, "{refused} runs end with an error, {begun} repairs began");
    }
    assert!(jobs >= begun || !submits, "{begun} repairs began, with {jobs} jobs");
    assert!(submits || jobs == 0, "a dry run gives no jobs");
}

#[test]
fn what_would_be_done() {
    says_something(compare(60, &["--dry-run"]), 60, false);
}

#[test]
fn what_is_done() {
    says_something(compare(5, &["--job-delay=2.5", "--reason=spring cleaning"]), 5, true);
}

#[test]
fn what_is_done_at_once() {
    says_something(compare(5, &["--job-delay=0"]), 5, true);
}

//! Command lines for a cluster: each tool with a random choice of its options.

mod hspace;

pub use hspace::{hspace, hspace_simulated};

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::model::Cluster;

/// The name of the file that holds the cluster in the text format.
pub const DATA: &str = "cluster.data";
/// The name of the file that holds an iallocator request.
pub const REQUEST: &str = "request.json";

/// The beginning of the names of saved states.
pub const SAVED: &str = "saved";

/// A program of the suite with its arguments, run in a directory that holds [`DATA`].
#[derive(Debug, Clone)]
pub struct Line {
    pub tool: &'static str,
    pub args: Vec<String>,
}

impl Line {
    fn new(tool: &'static str, args: &[&str]) -> Self {
        Self { tool, args: args.iter().map(|arg| (*arg).to_owned()).collect() }
    }

    fn add(&mut self, arg: impl Into<String>) {
        self.args.push(arg.into());
    }
}

/// All fields that a node list can have.
const NODE_FIELDS: &str = "idx,name,fqdn,status,tmem,nmem,xmem,fmem,umem,amem,imem,rmem,tdsk,fdsk,tcpu,ucpu,pcnt,scnt,plist,slist,pfmem,\
                           pfdsk,rcpu,cload,mload,dload,nload,ptags,peermap,spindle_count,hi_spindles,inst_spindles";

/// One balancing run.
#[must_use]
pub fn hbal(cluster: &Cluster, rng: &mut StdRng) -> Line {
    let mut line = Line::new("hbal", &["-t", DATA]);
    group(cluster, rng, &mut line);
    let switches = [
        ("--evac-mode", 0.15),
        ("--no-disk-moves", 0.15),
        ("--no-instance-moves", 0.15),
        ("--restricted-migration", 0.1),
        ("--ignore-soft-errors", 0.1),
        ("--ignore-dynu", 0.3),
        ("--print-instances", 0.3),
        ("-C", 0.5),
        ("-v", 0.2),
        ("-q", 0.1),
    ];
    some(rng, &switches, &mut line);
    // Of several groups the reference saves only the chosen one (a known defect).
    if cluster.groups.len() == 1 && rng.random_bool(0.3) {
        line.add("-Ssaved");
    }
    if rng.random_bool(0.3) {
        line.add(if rng.random_bool(0.5) { "-p".to_owned() } else { format!("-p{NODE_FIELDS}") });
    }
    if rng.random_bool(0.3) {
        line.add(format!("-l{}", rng.random_range(0..6)));
    }
    if rng.random_bool(0.2) {
        line.add(format!("--min-gain={}", ["0", "0.001", "0.1"].choose(rng).unwrap_or(&"0")));
    }
    if rng.random_bool(0.2) {
        line.add(format!("--min-gain-limit={}", ["0", "0.5", "10"].choose(rng).unwrap_or(&"0")));
    }
    if rng.random_bool(0.1) {
        line.add(format!("--min-score={}", ["0.1", "1e-5"].choose(rng).unwrap_or(&"0.1")));
    }
    if rng.random_bool(0.15) {
        line.add(format!("--max-cpu={}", ["1.0", "2.5"].choose(rng).unwrap_or(&"1.0")));
    }
    if rng.random_bool(0.15) {
        line.add(format!("--min-disk={}", ["0.1", "0.5"].choose(rng).unwrap_or(&"0.1")));
    }
    if rng.random_bool(0.1) {
        line.add("--exclusion-tags=place");
    }
    offline(cluster, rng, &mut line);
    for option in ["--select-instances", "--exclude-instances"] {
        if let (true, Some(instance)) = (rng.random_bool(0.07), cluster.instances.choose(rng)) {
            line.add(format!("{option}={}", instance.name));
        }
    }
    line
}

/// One list of the cluster.
#[must_use]
pub fn hinfo(cluster: &Cluster, rng: &mut StdRng) -> Line {
    let mut line = Line::new("hinfo", &["-t", DATA]);
    some(rng, &[("--print-instances", 0.5), ("-v", 0.3), ("-p", 0.4), ("--ignore-dynu", 0.2)], &mut line);
    offline(cluster, rng, &mut line);
    line
}

/// One check.
#[must_use]
pub fn hcheck(cluster: &Cluster, rng: &mut StdRng) -> Line {
    let mut line = Line::new("hcheck", &["-t", DATA]);
    let switches = [
        ("--machine-readable", 0.5),
        ("--no-simulation", 0.4),
        ("--no-capacity-checks", 0.3),
        ("--no-disk-moves", 0.1),
        ("--evac-mode", 0.1),
    ];
    some(rng, &switches, &mut line);
    offline(cluster, rng, &mut line);
    line
}

/// One maintenance plan.
#[must_use]
pub fn hroller(cluster: &Cluster, rng: &mut StdRng) -> Line {
    let mut line = Line::new("hroller", &["-t", DATA]);
    let switches = [
        ("--offline-maintenance", 0.3),
        ("--full-evacuation", 0.2),
        ("--print-moves", 0.3),
        ("--skip-non-redundant", 0.2),
        ("--ignore-non-redundant", 0.2),
        ("--one-step-only", 0.15),
        ("--no-headers", 0.2),
        ("-f", 0.5),
        ("-v", 0.2),
    ];
    some(rng, &switches, &mut line);
    // The reference mixes up two nodes when both of an instance's are in one set, which only left out nodes can be (a known
    // defect); it shows in the moves.
    if line.args.iter().any(|arg| arg == "--full-evacuation") {
        line.args.retain(|arg| arg != "--skip-non-redundant");
    }
    if rng.random_bool(0.3) {
        group(cluster, rng, &mut line);
    }
    if rng.random_bool(0.1) {
        line.add("--node-tags=power:a");
    }
    offline(cluster, rng, &mut line);
    line
}

/// One plan to power nodes off, or on.
#[must_use]
pub fn hsqueeze(rng: &mut StdRng) -> Line {
    let mut line = Line::new("hsqueeze", &["-t", DATA]);
    some(rng, &[("-C", 0.4), ("-v", 0.3), ("--no-headers", 0.2), ("-Ssaved", 0.3)], &mut line);
    if rng.random_bool(0.3) {
        line.add(format!("--target-resources={}", ["1", "3.5"].choose(rng).unwrap_or(&"1")));
    }
    if rng.random_bool(0.3) {
        line.add(format!("--minimal-resources={}", ["0.5", "4"].choose(rng).unwrap_or(&"4")));
    }
    line
}

/// An answer to the request in [`REQUEST`].
#[must_use]
pub fn hail(rng: &mut StdRng) -> Line {
    let mut line = Line::new("hail", &[]);
    some(rng, &[("--no-capacity-checks", 0.3), ("--ignore-soft-errors", 0.1)], &mut line);
    line.add(REQUEST);
    line
}

fn some(rng: &mut StdRng, switches: &[(&str, f64)], line: &mut Line) {
    for (switch, chance) in switches {
        if rng.random_bool(*chance) {
            line.add(*switch);
        }
    }
}

fn group(cluster: &Cluster, rng: &mut StdRng, line: &mut Line) {
    if cluster.groups.len() > 1
        && let Some(group) = cluster.groups.choose(rng)
    {
        line.add(format!("-G{}", if rng.random_bool(0.5) { group.name.clone() } else { group.uuid() }));
    }
}

fn offline(cluster: &Cluster, rng: &mut StdRng, line: &mut Line) {
    if let (true, Some(node)) = (rng.random_bool(0.1), cluster.nodes.choose(rng)) {
        line.add(format!("-O{}", node.name));
    }
}

/// Fixed command lines for a cluster in the text format whose content is not known beforehand.
#[must_use]
pub fn upstream_data(data: &str) -> Vec<Line> {
    let groups: Vec<&str> = data.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split('|').next()).collect();
    let node_list = format!("-p{NODE_FIELDS}");
    let mut lines = vec![
        Line::new("hinfo", &["-t", DATA, "-p", "--print-instances"]),
        Line::new("hcheck", &["-t", DATA]),
        Line::new("hcheck", &["-t", DATA, "--machine-readable", "--no-simulation"]),
        Line::new("hsqueeze", &["-t", DATA, "-C"]),
    ];
    for tool_args in [
        &["--machine-readable", "-l5"][..],
        // Small ones, because the reference needs minutes to shrink the largest size to one that fits.
        &["--machine-readable", "--disk-template=plain", "--accept-existing-errors", "-l5", "--tiered-alloc=60000,6000,4"],
        &["-p", "--disk-template=rbd", "-l5", "--tiered-alloc=60000,6000,4,2"],
    ] {
        let mut line = Line::new("hspace", &["-t", DATA]);
        tool_args.iter().for_each(|arg| line.add(*arg));
        lines.push(line);
    }
    for tool_args in [&["-f"][..], &["-f", "--offline-maintenance", "--print-moves"], &["-f", "--full-evacuation", "--print-moves"]] {
        let mut line = Line::new("hroller", &["-t", DATA]);
        tool_args.iter().for_each(|arg| line.add(*arg));
        lines.push(line);
    }
    for group in groups {
        for extra in [&["-C", "-Ssaved"][..], &["--evac-mode", "--ignore-soft-errors"], &["--no-disk-moves", &node_list]] {
            let mut line = Line::new("hbal", &["-t", DATA, "-G", group]);
            extra.iter().for_each(|arg| line.add(*arg));
            lines.push(line);
        }
    }
    lines
}

/// Fixed command lines for files with RAPI's answers in `dir`.
#[must_use]
pub fn upstream_rapi(dir: &str) -> Vec<Line> {
    let url = format!("file://{dir}");
    let mut lines = vec![Line::new("hscan", &["-p", "-d.", &url])];
    for (tool, args) in [
        ("hinfo", &["-p", "--print-instances", "-v", "-v"][..]),
        ("hbal", &["-C", "-v", "-Ssaved"]),
        ("hbal", &["--static-kvm-node-memory=0", "-p"]),
        ("hroller", &["-f", "-v", "-v"]),
    ] {
        let mut line = Line::new(tool, &["-m", &url]);
        args.iter().for_each(|arg| line.add(*arg));
        lines.push(line);
    }
    lines
}

/// Fixed command lines for an iallocator request.
#[must_use]
pub fn upstream_requests() -> Vec<Line> {
    vec![
        Line::new("hail", &[REQUEST]),
        Line::new("hail", &["--no-capacity-checks", REQUEST]),
        Line::new("hinfo", &["-I", REQUEST, "-p"]),
        Line::new("hbal", &["-I", REQUEST]),
    ]
}

//! The table of all options.

use super::getopt::{Argument, Spec};
use super::{Options, Wanted};
use crate::load::derive::RATIOS;
use crate::load::number;

use Argument::{None as Alone, Optional, Required};

const fn spec(
    short: Option<char>,
    long: &'static str,
    argument: Argument,
    completes: &'static str,
    help: &'static str,
    set: fn(&mut Options, Option<&str>) -> Result<(), String>,
) -> Spec {
    Spec { short, long, argument, help, completes, set }
}

/// An option without an argument.
macro_rules! flag {
    ($short:expr, $long:literal, $help:literal, |$options:ident| $set:expr) => {
        spec($short, $long, Alone, "none", $help, |$options, _| {
            $set;
            Ok(())
        })
    };
}

/// An option whose argument is taken over by an expression that may fail with a sentence.
macro_rules! valued {
    ($short:expr, $long:literal, $argument:literal, $completes:literal, $help:literal, |$options:ident, $value:ident| $set:expr) => {
        spec($short, $long, Required($argument), $completes, $help, |$options, value| {
            let $value = value.unwrap_or_default();
            $set;
            Ok(())
        })
    };
}

/// All options; which tool has which is in [`super::list`].
pub const TABLE: &[Spec] = &[
    valued!(Some('t'), "text-data", "FILE", "file", "read the cluster from a text FILE", |o, v| o.text_data = some(v)),
    valued!(Some('m'), "master", "ADDRESS", "host", "read the cluster by RAPI from ADDRESS", |o, v| {
        o.master = if v.is_empty() { None } else { some(v) }
    }),
    spec(Some('L'), "luxi", Optional("SOCKET"), "file", "read the cluster by LUXI, from SOCKET or the usual one", |o, v| {
        o.luxi = some(v.unwrap_or_default());
        Ok(())
    }),
    valued!(Some('I'), "ialloc-src", "FILE", "file", "read the cluster from an iallocator request", |o, v| o.ialloc_src = some(v)),
    valued!(None, "simulate", "SPEC", "string", "an empty cluster of equal nodes: policy,nodes,disk,ram,cpu; once per group", |o, v| {
        o.simulate.insert(0, v.to_owned())
    }),
    flag!(None, "no-disk-moves", "do not copy disks, only migrate and fail over", |o| o.disk_moves = false),
    flag!(None, "no-instance-moves", "do not migrate or fail over, only change secondaries", |o| o.instance_moves = false),
    flag!(None, "restricted-migration", "do not change primaries, except off drained nodes", |o| o.restricted_migration = true),
    flag!(Some('E'), "evac-mode", "only move instances off offline and drained nodes", |o| o.evac_mode = true),
    flag!(None, "ignore-soft-errors", "do not mind soft limits", |o| o.ignore_soft_errors = true),
    flag!(None, "independent-groups", "look at each group by itself", |o| o.independent_groups = true),
    flag!(None, "accept-existing-errors", "accept N+1 failures that are there, only add none", |o| o.accept_existing = true),
    flag!(None, "no-capacity-checks", "do not check that groups can lose a node", |o| o.capacity = false),
    valued!(None, "select-instances", "INSTS", "manyinstances", "only move these instances", |o, v| o.select_instances = list(v)),
    valued!(None, "exclude-instances", "INSTS", "manyinstances", "do not move these instances", |o, v| o.exclude_instances = list(v)),
    valued!(None, "exclusion-tags", "TAG,...", "string", "instances that share a tag of these prefixes exclude each other", |o, v| {
        o.exclusion_tags = list(v)
    }),
    valued!(Some('U'), "dynu-file", "FILE", "file", "read the loads of instances from FILE", |o, v| o.dynu_file = some(v)),
    flag!(None, "ignore-dynu", "ignore all loads", |o| o.ignore_dynu = true),
    spec(None, "mond", Optional("CHOICE"), "choices=yes,no", "ask the monitoring daemons for loads", |o, v| {
        o.mond = yes_or_no(v)?;
        Ok(())
    }),
    valued!(None, "mond-data", "FILE", "file", "read what the monitoring daemons say from FILE", |o, v| o.mond_data = some(v)),
    flag!(None, "mond-xen", "also ask for what only Xen knows", |o| o.mond_xen = true),
    flag!(None, "exit-on-missing-mond-data", "fail when a monitoring daemon says too little", |o| o.mond_exit_missing = true),
    valued!(
        None,
        "disk-template",
        "TEMPLATE",
        "choices=diskless,file,sharedfile,plain,blockdev,drbd,rbd,ext,gluster",
        "the disk template of new instances",
        |o, v| { o.disk_template = Some(v.parse().map_err(|_| format!("Invalid disk template '{v}'"))?) }
    ),
    valued!(None, "spindle-use", "SPINDLES", "float", "the spindle use of new instances", |o, v| {
        o.spindle_use = Some(number::count("parsing spindle-use", v)?)
    }),
    flag!(Some('X'), "exec", "submit the moves as jobs (only by LUXI)", |o| o.exec = true),
    flag!(None, "dry-run", "only say what would be done", |o| o.dry_run = true),
    valued!(None, "reason", "REASON", "none", "the reason to give to the jobs", |o, v| o.reason = some(v)),
    valued!(None, "priority", "PRIO", "choices=low,normal,high", "the priority of the jobs", |o, v| {
        match v {
            "low" | "normal" | "high" => o.priority = some(v),
            _ => return Err(format!("Unknown priority '{v}'")),
        }
    }),
    flag!(None, "first-job-group", "only run the first set of jobs", |o| o.first_job_group = true),
    flag!(Some('f'), "force", "go on in spite of warnings", |o| o.force = true),
    flag!(None, "full-evacuation", "empty the nodes that are rebooted", |o| o.full_evacuation = true),
    valued!(Some('G'), "group", "ID", "onegroup", "the node group, by name or UUID", |o, v| o.group = some(v)),
    flag!(None, "ignore-non-redundant", "pretend that every instance is redundant", |o| o.ignore_non_redundant = true),
    flag!(None, "skip-non-redundant", "leave out nodes with instances that are not redundant", |o| o.skip_non_redundant = true),
    flag!(None, "offline-maintenance", "pretend that all instances are offline", |o| o.offline_maintenance = true),
    flag!(None, "one-step-only", "only show the first set of nodes", |o| o.one_step_only = true),
    flag!(None, "print-moves", "show the moves of instances", |o| o.print_moves = true),
    valued!(None, "node-tags", "TAG,...", "string", "only nodes with one of these tags", |o, v| o.node_tags = Some(list(v))),
    valued!(None, "job-delay", "SECONDS", "float", "the delay before repairs begin", |o, v| o.job_delay = number::real("job delay", v)?),
    spec(None, "machine-readable", Optional("CHOICE"), "choices=yes,no", "lines that programs can read", |o, v| {
        o.machine_readable = yes_or_no(v)?;
        Ok(())
    }),
    valued!(None, "max-cpu", "RATIO", "float", "virtual CPUs per CPU [the policy's]", |o, v| {
        let ratio = number::real("parsing max-cpu", v)?;
        if ratio <= 0.0 {
            return Err("Invalid value of the max-cpu ratio, expected >0".to_owned());
        }
        o.max_cpu = Some(ratio)
    }),
    valued!(None, "min-disk", "RATIO", "float", "the part of the disk space that stays free, 0 to 1 [0]", |o, v| {
        o.min_disk = number::real("min free disk space", v)?
    }),
    valued!(Some('l'), "max-length", "N", "integer", "at most so many moves or instances", |o, v| {
        o.max_length = number::whole("max solution length", v)?
    }),
    valued!(Some('g'), "min-gain", "DELTA", "float", "the least gain of a step", |o, v| o.min_gain = number::real("min gain", v)?),
    valued!(None, "min-gain-limit", "SCORE", "float", "the score from which on down the least gain counts", |o, v| {
        o.min_gain_limit = number::real("min gain limit", v)?
    }),
    valued!(Some('e'), "min-score", "EPSILON", "float", "the distance from the optimum that is good enough", |o, v| {
        o.min_score = number::real("min score", v)?
    }),
    valued!(None, "minimal-resources", "FACTOR", "float", "free standard instances per node below which nodes are powered on", |o, v| {
        o.minimal_resources = number::real("minimal resources", v)?
    }),
    valued!(None, "target-resources", "FACTOR", "float", "free standard instances per node to keep", |o, v| {
        o.target_resources = number::real("target resources", v)?
    }),
    flag!(None, "no-headers", "do not show header lines", |o| o.no_headers = true),
    flag!(None, "no-simulation", "do not try whether balancing helps", |o| o.no_simulation = true),
    valued!(Some('O'), "offline", "NODE", "onenode", "treat NODE as offline", |o, v| o.offline.insert(0, v.to_owned())),
    valued!(None, "restrict-allocation-to", "NODE,...", "manynodes", "only place on these nodes", |o, v| o.restrict_to = Some(list(v))),
    valued!(Some('d'), "output-dir", "PATH", "dir", "the directory for the files", |o, v| o.output_dir = v.to_owned()),
    spec(Some('C'), "print-commands", Optional("FILE"), "none", "show the commands of the plan, or write them to FILE", |o, v| {
        o.print_commands = some(v.unwrap_or("-"));
        Ok(())
    }),
    flag!(None, "print-instances", "show the instances before and after", |o| o.print_instances = true),
    spec(Some('p'), "print-nodes", Optional("FIELDS"), "none", "show the nodes before and after, with these fields", |o, v| {
        o.print_nodes = Some(fields(v.unwrap_or_default()));
        Ok(())
    }),
    valued!(Some('S'), "save", "FILE", "none", "save the cluster to files whose names begin with FILE", |o, v| o.save = some(v)),
    valued!(None, "static-kvm-node-memory", "N", "integer", "MiB of the node's own system on KVM; 0: what it says [4096]", |o, v| {
        o.static_kvm_node_memory = number::whole("static node memory", v)?
    }),
    valued!(None, "standard-alloc", "STDSPEC", "string", "count instances of this size: disk,ram,cpu", |o, v| {
        o.standard_alloc = Some(wanted("standard", v)?)
    }),
    valued!(None, "tiered-alloc", "TSPEC", "string", "count instances from this size downwards: disk,ram,cpu", |o, v| {
        o.tiered_alloc = Some(wanted("tiered", v)?)
    }),
    flag!(None, "search", "search for a better plan than the greedy one, with as many moves", |o| o.search = true),
    valued!(None, "seed", "N", "integer", "where the random choices of --search begin [1]", |o, v| {
        o.effort.seed = number::count("seed", v)?.unsigned_abs()
    }),
    valued!(None, "effort", "N", "integer", "plans that --search tries [50]", |o, v| {
        o.effort.rounds = number::count("effort", v)?.unsigned_abs()
    }),
    valued!(None, "price", "DELTA", "float", "what a move must gain per GiB that it copies [0]", |o, v| {
        o.price = not_negative("price", v)?
    }),
    valued!(None, "max-copied", "GIB", "float", "copy at most so much [any amount]", |o, v| o.max_copied = not_negative("max-copied", v)?),
    valued!(None, "weights", "NAME=W,...", "string", "what components of the score count, by their names", |o, v| {
        for pair in list(v) {
            let (name, weight) = pair.split_once('=').ok_or_else(|| format!("weights: '{pair}' is not NAME=WEIGHT"))?;
            o.weights.set(name, number::real("weights", weight)?)?;
        }
    }),
    valued!(None, "keep-disk", "MIB", "integer", "disk space that stays free on each node, say for exports [0]", |o, v| {
        o.keep_disk = number::size("keep-disk", v)?
    }),
    valued!(None, "survive", "K", "integer", "ask about the loss of any K nodes of a group together, not only of one [1]", |o, v| {
        o.survive = usize::try_from(number::count("survive", v)?).ok().filter(|count| *count > 0).ok_or("survive: at least 1")?
    }),
    valued!(None, "failure-domains", "PREFIX", "string", "ask about the loss of all nodes that share a tag PREFIX:..., too", |o, v| {
        o.failure_domains = some(v)
    }),
    valued!(None, "lose", "NAME,...", "string", "as if these were lost together: nodes, groups, or all nodes with a tag", |o, v| {
        o.lose.extend(list(v))
    }),
    valued!(None, "add-nodes", "COUNT,NODE", "string", "as if there were so many more nodes like NODE, empty; may be repeated", |o, v| {
        o.add_nodes.push(v.to_owned())
    }),
    valued!(None, "rate", "N", "float", "say when the cluster is full if N instances of the standard size come a day", |o, v| {
        o.rate = Some(number::real("rate", v)?).filter(|rate| *rate > 0.0);
        o.rate.ok_or_else(|| format!("rate: '{v}' is not above 0"))?;
    }),
    valued!(None, "json", "FILE", "file", "write a report as JSON", |o, v| o.json = some(v)),
    valued!(None, "chart", "FILE", "file", "draw how the cluster fills, as SVG", |o, v| o.chart = some(v)),
    flag!(None, "explain", "say which limits refuse an instance, where, and what would make it fit", |o| o.explain = true),
    valued!(
        None,
        "memory-ratio",
        "RATIO",
        "float",
        "memory that nodes may promise per memory that they have, unless tags say it [1]",
        |o, v| {
            let ratio = number::real("memory-ratio", v)?;
            if !RATIOS.contains(&ratio) {
                return Err(format!("memory-ratio: '{v}' is not between {} and {}", RATIOS.start(), RATIOS.end()));
            }
            o.memory_ratio = ratio
        }
    ),
    flag!(Some('v'), "verbose", "say more", |o| o.verbose += 1),
    flag!(Some('q'), "quiet", "say less", |o| o.verbose -= 1),
    flag!(Some('V'), "version", "show the version", |o| o.version = true),
    flag!(Some('h'), "help", "show this help", |o| o.help = true),
    flag!(None, "help-completion", "show what shells complete", |o| o.completion = true),
];

#[expect(clippy::unnecessary_wraps, reason = "most options are optional")]
fn some(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn list(value: &str) -> Vec<String> {
    if value.is_empty() { Vec::new() } else { value.split(',').map(str::to_owned).collect() }
}

/// A leading plus stands by itself: it adds to the default fields.
fn fields(value: &str) -> Vec<String> {
    match value.strip_prefix('+') {
        Some(rest) => std::iter::once("+".to_owned()).chain(list(rest)).collect(),
        None => list(value),
    }
}

fn not_negative(what: &str, value: &str) -> Result<f64, String> {
    let number = number::real(what, value)?;
    if number < 0.0 { Err(format!("{what}: '{value}' is negative")) } else { Ok(number) }
}

fn yes_or_no(value: Option<&str>) -> Result<bool, String> {
    match value {
        None | Some("yes") => Ok(true),
        Some("no") => Ok(false),
        Some(other) => Err(format!("Invalid choice '{other}', pass one of 'yes' or 'no'")),
    }
}

fn wanted(kind: &str, value: &str) -> Result<Wanted, String> {
    let parts = list(value);
    let [disk, memory, cpus, rest @ ..] = parts.as_slice() else { return Err(invalid(kind, value)) };
    if rest.len() > 1 {
        return Err(invalid(kind, value));
    }
    Ok(Wanted {
        disk: number::size(&format!("{kind} specs disk"), disk)?,
        memory: number::size(&format!("{kind} specs memory"), memory)?,
        cpus: number::count(&format!("{kind} specs cpus"), cpus)?,
        spindles: rest.first().map_or(Ok(1), |text| number::count(&format!("{kind} specs spindles"), text))?,
    })
}

fn invalid(kind: &str, value: &str) -> String {
    format!("Invalid {kind} specification: '{value}', expected disk,ram,cpu")
}

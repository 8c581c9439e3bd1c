//! What hspace prints: for people, or as lines that programs read.

use super::super::option::Options;
use super::super::{Failure, Io, keys};
use super::has_exclusive_storage;
use crate::capacity::{Filled, Question, Shares, Size, Totals};
use crate::cluster::Cluster;
use crate::fail::FailMode;
use crate::id::InstanceId;
use crate::instance::Instance;
use crate::show::number::{fixed, shortest};
use crate::show::table::table;
use crate::state::real;

const PREFIX: &str = "HTS";

/// Which of the two counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tiered,
    Standard,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tiered => "Tiered",
            Self::Standard => "Standard",
        }
    }
}

/// One of the two counts, done.
pub(super) struct Outcome<'a> {
    pub question: &'a Question<'a>,
    pub before: &'a Totals,
    pub filled: &'a Filled,
    /// Why nothing more fits, the most frequent first; empty: nothing was tried.
    pub reasons: Vec<(FailMode, u64)>,
}

type Pairs = Vec<(&'static str, String)>;

/// The cluster as it is.
pub(super) fn cluster(options: &Options, io: &mut Io<'_>, cluster: &Cluster, totals: &Totals) -> Result<(), Failure> {
    let mut resources: Pairs = vec![
        ("MEM", fixed(totals.memory, 0)),
        ("DSK", fixed(totals.disk, 0)),
        ("CPU", fixed(totals.cpus, 0)),
        ("VCPU", totals.vcpus.to_string()),
        ("SPN", fixed(totals.spindles, 0)),
    ];
    let nodes = cluster.nodes.len();
    if options.machine_readable {
        lines(io, "CLUSTER_", &resources)?;
        keys::print(io, PREFIX, "CLUSTER_NODES", &nodes.to_string())?;
        return lines(io, "INI_", &statistics(totals));
    }
    resources.truncate(if has_exclusive_storage(cluster) { 5 } else { 4 });
    let count = if totals.instances > 0 { totals.instances.to_string() } else { "no".to_owned() };
    io.say(&format!(
        "The cluster has {nodes} nodes and the following resources:\n  {}.\nThere are {count} initial instances on the cluster.\n",
        in_a_row(&resources)
    ))
}

/// The size that is counted.
pub(super) fn wanted(
    options: &Options,
    io: &mut Io<'_>,
    (size, instance): (&Size, &Instance),
    kind: Kind,
    spindles: bool,
) -> Result<(), Failure> {
    let (prefix, words) = match kind {
        Kind::Tiered => ("TSPEC_INI_", "Tiered (initial size)"),
        Kind::Standard => ("SPEC_", "Standard (fixed-size)"),
    };
    if options.machine_readable {
        lines(io, prefix, &parts(size, true))?;
        let rest = [("RQN", instance.required_nodes().to_string()), ("DISK_TEMPLATE", instance.template.to_string())];
        return lines(io, prefix, &rest);
    }
    let shown = in_a_row(&parts(size, spindles));
    io.say(&format!("{words} instance spec is:\n  {shown}, using disk template '{}'.\n", instance.template))
}

/// The new instances, each with its nodes and sizes.
pub(super) fn map(filled: &Filled, kind: Kind) -> String {
    let exclusive = has_exclusive_storage(&filled.cluster);
    let row = |id: InstanceId| {
        let instance = filled.cluster.instance(id);
        let spindles = instance.total_spindles().map_or_else(|| "?".to_owned(), |spindles| spindles.to_string());
        vec![
            instance.name.clone(),
            filled.cluster.node(filled.state.primary[id.at()]).name.clone(),
            filled.state.secondary[id.at()].map_or_else(String::new, |node| filled.cluster.node(node).name.clone()),
            instance.memory.to_string(),
            instance.disk.to_string(),
            instance.vcpus.to_string(),
            if exclusive { spindles } else { String::new() },
        ]
    };
    let rows: Vec<Vec<String>> = filled.placed().map(row).collect();
    let right = [false, false, false, true, true, true, true];
    let body = match rows.split_first() {
        Some((first, rest)) => table("", first, rest, &right),
        None => String::new(),
    };
    format!("{} allocation map\n{body}", kind.name())
}

/// What the tiers came to.
pub(super) fn tiered(options: &Options, io: &mut Io<'_>, outcome: &Outcome<'_>) -> Result<(), Failure> {
    let after = Totals::new(&outcome.filled.cluster, &outcome.filled.state);
    let sizes = outcome.filled.sizes();
    if options.machine_readable {
        lines(io, "TRL_", &statistics(&after))?;
        let counted = |(size, count): &(Size, usize)| {
            let Size { memory, disk, vcpus, spindles } = size;
            format!("{memory},{disk},{vcpus},{spindles}={count}")
        };
        let counted: Vec<String> = sizes.iter().map(counted).collect();
        keys::print(io, PREFIX, "TSPEC", &counted.join(" "))?;
        shares(io, "USED", &outcome.before.used())?;
        shares(io, "POOL", &after.used_since(outcome.before))?;
        return shares(io, "UNAV", &after.unused());
    }
    io.say("Tiered allocation results:\n")?;
    if sizes.is_empty() {
        io.say("  - no instances allocated\n")?;
    }
    let spindles = has_exclusive_storage(outcome.question.cluster);
    for (size, count) in sizes {
        io.say(&format!("  - {count:3} instances of spec {}\n", in_a_row(&parts(&size, spindles))))?;
    }
    ending(io, outcome, &after)
}

/// What the standard size came to.
pub(super) fn standard(options: &Options, io: &mut Io<'_>, outcome: &Outcome<'_>) -> Result<(), Failure> {
    let after = Totals::new(&outcome.filled.cluster, &outcome.filled.state);
    let count = outcome.filled.count();
    if !options.machine_readable {
        io.say(&format!("Normal (fixed-size) allocation results:\n  - {count:3} instances allocated\n"))?;
        return ending(io, outcome, &after);
    }
    let whole = |count: usize| real(i64::try_from(count).unwrap_or(i64::MAX));
    lines(io, "FIN_", &statistics(&after))?;
    let first = outcome.filled.first;
    keys::print(io, PREFIX, "ALLOC_USAGE", &fixed(whole(first) / whole(first + count), 8))?;
    keys::print(io, PREFIX, "ALLOC_INSTANCES", &count.to_string())?;
    if let Some((reason, _)) = outcome.reasons.first() {
        keys::print(io, PREFIX, "ALLOC_FAIL_REASON", &reason.to_string().to_uppercase())?;
    }
    for (reason, count) in &outcome.reasons {
        keys::print(io, PREFIX, &format!("ALLOC_{reason}_CNT"), &count.to_string())?;
    }
    Ok(())
}

/// Why no more fit.
pub(super) fn explanation(options: &Options, io: &mut Io<'_>, sentences: &[String]) -> Result<(), Failure> {
    if options.machine_readable {
        return keys::print(io, PREFIX, "EXPLAIN", &sentences.join("; ").replace('\'', ""));
    }
    io.say("Why no more instances of the standard size fit:\n")?;
    sentences.iter().try_for_each(|sentence| io.say(&format!("  - {sentence}\n")))
}

/// The last line, where programs read it.
pub(super) fn end(options: &Options, io: &mut Io<'_>) -> Result<(), Failure> {
    if options.machine_readable { keys::print(io, PREFIX, "OK", "1") } else { Ok(()) }
}

/// Why it ended, and how full the cluster is then.
fn ending(io: &mut Io<'_>, outcome: &Outcome<'_>, after: &Totals) -> Result<(), Failure> {
    // Where nothing was tried there is no reason. (Ganeti breaks off then.)
    if let Some((reason, _)) = outcome.reasons.first() {
        io.say(&format!("  - most likely failure reason: {reason}\n"))?;
    }
    io.say(&format!("  - initial cluster score: {}\n", fixed(outcome.before.score, 8)))?;
    io.say(&format!("  -   final cluster score: {}\n", fixed(after.score, 8)))?;
    let mut used = vec![("memory", after.memory_efficiency()), ("disk", after.disk_efficiency()), ("vcpu", after.cpu_efficiency())];
    if has_exclusive_storage(&outcome.filled.cluster) {
        used.push(("spindles", after.spindle_efficiency()));
    }
    let width = used.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, part) in used {
        io.say(&format!("  - {name:>width$} usage efficiency: {:>5}%\n", fixed(part * 100.0, 2)))?;
    }
    Ok(())
}

fn parts(size: &Size, spindles: bool) -> Pairs {
    let mut parts = vec![("MEM", size.memory.to_string()), ("DSK", size.disk.to_string()), ("CPU", size.vcpus.to_string())];
    if spindles {
        parts.push(("SPN", size.spindles.to_string()));
    }
    parts
}

fn in_a_row(pairs: &[(&'static str, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

fn lines(io: &mut Io<'_>, prefix: &str, pairs: &[(&'static str, String)]) -> Result<(), Failure> {
    pairs.iter().try_for_each(|(name, value)| keys::print(io, PREFIX, &format!("{prefix}{name}"), value))
}

fn statistics(totals: &Totals) -> Pairs {
    let whole = |number: i64| number.to_string();
    vec![
        ("SCORE", fixed(totals.score, 8)),
        ("INST_CNT", totals.instances.to_string()),
        ("MEM_FREE", whole(totals.free_memory)),
        ("MEM_AVAIL", whole(totals.available_memory)),
        ("MEM_RESVD", whole(totals.free_memory - totals.available_memory)),
        ("MEM_INST", whole(totals.instance_memory)),
        ("MEM_OVERHEAD", whole(totals.missing_memory + totals.node_memory)),
        ("MEM_EFF", fixed(totals.memory_efficiency(), 8)),
        ("DSK_FREE", whole(totals.free_disk)),
        ("DSK_AVAIL", whole(totals.available_disk)),
        ("DSK_RESVD", whole(totals.free_disk - totals.available_disk)),
        ("DSK_INST", whole(totals.instance_disk)),
        ("DSK_EFF", fixed(totals.disk_efficiency(), 8)),
        ("SPN_FREE", whole(totals.free_spindles)),
        ("SPN_INST", whole(totals.instance_spindles)),
        ("SPN_EFF", fixed(totals.spindle_efficiency(), 8)),
        ("CPU_INST", whole(totals.instance_vcpus)),
        ("CPU_EFF", fixed(totals.cpu_efficiency(), 8)),
        ("MNODE_MEM_AVAIL", whole(totals.largest_memory)),
        ("MNODE_DSK_AVAIL", whole(totals.largest_disk)),
    ]
}

fn shares(io: &mut Io<'_>, which: &str, shares: &Shares) -> Result<(), Failure> {
    let values = [
        ("CPU", shares.vcpus.to_string()),
        ("NPU", shortest(shares.cpus)),
        ("MEM", shares.memory.to_string()),
        ("DSK", shares.disk.to_string()),
        ("SPN", shares.spindles.to_string()),
    ];
    lines(io, &format!("KM_{which}_"), &values)
}

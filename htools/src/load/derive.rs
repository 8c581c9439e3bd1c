//! What follows from tags, names and options once a cluster has been read.

use super::lookup::lookup;
use super::{Error, number};
use crate::cluster::Cluster;
use crate::instance::Instance;
use crate::node::truncated;
use crate::state::{N1Rule, State};
use crate::tag::{self, prefix};

/// Missing memory, in MiB, from which on the operator is told.
const MUCH_MEMORY: i64 = 512;
/// Missing disk space, in MiB, from which on the operator is told.
const MUCH_DISK: i64 = 1024;

/// Ratios of memory that make sense: from a tenth, which leaves the rest to others, to ten times what is there.
pub const RATIOS: std::ops::RangeInclusive<f64> = 0.1..=10.0;

/// What options add to a cluster.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Load of instances by name: CPU, memory, disk, network. Unknown names are skipped.
    pub load: Vec<(String, [f64; 4])>,
    /// All loads are 0.
    pub ignore_load: bool,
    /// Prefixes of exclusion tags, with the colon, besides those of the cluster's tags.
    pub exclusion: Vec<String>,
    /// Only these instances may move; none: all.
    pub selected: Vec<String>,
    /// These instances may not move.
    pub excluded: Vec<String>,
}

/// A cluster that can be worked with.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is known of it.
    pub cluster: Cluster,
    /// Where its instances are.
    pub state: State,
    /// What does not add up, for the operator.
    pub warnings: Vec<String>,
}

/// Adds what follows from tags, names and wishes.
///
/// # Errors
/// A selected or excluded instance is not known.
pub fn merge(mut cluster: Cluster, wishes: &Wishes) -> Result<Cluster, Error> {
    set_loads(&mut cluster, wishes);
    set_movable(&mut cluster, wishes)?;
    set_aliases(&mut cluster);
    set_tags(&mut cluster, wishes);
    set_memory_ratios(&mut cluster, 1.0);
    for node in &mut cluster.nodes {
        let policy = &cluster.groups[node.group.at()].policy;
        (node.vcpu_ratio, node.spindle_ratio) = (policy.vcpu_ratio, policy.spindle_ratio);
    }
    Ok(cluster)
}

/// Finds missing memory and builds the state. `kvm_node_memory`: what the node's own system has on KVM, in MiB; 0: what it says.
#[must_use]
pub fn finish(mut cluster: Cluster, kvm_node_memory: i64, rule: N1Rule) -> Loaded {
    let mut memory = vec![0; cluster.nodes.len()];
    let mut disk = vec![0; cluster.nodes.len()];
    for instance in cluster.instances.iter().filter(|instance| !instance.forthcoming) {
        memory[instance.primary.at()] += if instance.uses_memory() { instance.memory } else { 0 };
        for node in [Some(instance.primary), instance.secondary].into_iter().flatten() {
            disk[node.at()] += instance.disk;
        }
    }
    let mut warnings = Vec::new();
    for (at, node) in cluster.nodes.iter_mut().enumerate() {
        if node.is_kvm && kvm_node_memory > 0 {
            node.node_memory = kvm_node_memory;
        }
        node.missing_memory = truncated(node.total_memory) - node.node_memory - memory[at] - node.free_memory;
        node.overcommit();
        let missing_disk = truncated(node.total_disk) - node.free_disk - disk[at];
        if node.missing_memory > MUCH_MEMORY || missing_disk > MUCH_DISK {
            let (memory, disk) = (node.missing_memory, missing_disk.div_euclid(1024));
            warnings.push(format!("node {} is missing {memory} MB ram and {disk} GB disk", node.name));
        }
    }
    // The last node comes first, as in the reference.
    warnings.reverse();
    warnings.extend(wrong_ratios(&cluster));
    let state = State::new(&cluster, rule);
    Loaded { cluster, state, warnings }
}

/// Reads a file of loads: lines of name, CPU, memory, disk and network, separated by single spaces.
///
/// # Errors
/// The first line that is wrong, and why.
pub fn parse_loads(text: &str) -> Result<Vec<(String, [f64; 4])>, Error> {
    let line = |(at, line): (usize, &str)| {
        let fields: Vec<&str> = line.split(' ').collect();
        let [name, numbers @ ..] = fields.as_slice() else { return Err(Error::on_line(at + 1, format!("Cannot parse line {line}"))) };
        let numbers: Vec<f64> = numbers
            .iter()
            .map(|text| number::real(name, text))
            .collect::<Result<_, _>>()
            .map_err(|message| Error::on_line(at + 1, message))?;
        let numbers = <[f64; 4]>::try_from(numbers).map_err(|_| Error::on_line(at + 1, format!("Cannot parse line {line}")))?;
        Ok(((*name).to_owned(), numbers))
    };
    let mut lines: Vec<&str> = text.split('\n').collect();
    if lines.last() == Some(&"") {
        lines.pop();
    }
    lines.into_iter().enumerate().map(line).collect()
}

fn set_loads(cluster: &mut Cluster, wishes: &Wishes) {
    if wishes.ignore_load {
        cluster.instances.iter_mut().for_each(|instance| instance.load = [0.0; 4]);
        return;
    }
    let index: std::collections::HashMap<&str, usize> =
        cluster.instances.iter().enumerate().map(|(at, instance)| (instance.name.as_str(), at)).collect();
    let found: Vec<(usize, [f64; 4])> =
        wishes.load.iter().filter_map(|(name, load)| index.get(name.as_str()).map(|at| (*at, *load))).collect();
    for (at, load) in found {
        cluster.instances[at].load = load;
    }
}

fn set_movable(cluster: &mut Cluster, wishes: &Wishes) -> Result<(), Error> {
    let names: Vec<&str> = cluster.instances.iter().map(|instance| instance.name.as_str()).collect();
    let mut unknown = Vec::new();
    let mut find = |wanted: &[String]| -> Vec<String> {
        let found = wanted.iter().map(|wanted| match lookup(names.iter().copied(), wanted) {
            Ok(name) => name.to_owned(),
            Err(_) => {
                unknown.push(wanted.clone());
                wanted.clone()
            }
        });
        found.collect()
    };
    let (selected, excluded) = (find(&wishes.selected), find(&wishes.excluded));
    if !unknown.is_empty() {
        return Err(Error::new(format!("Unknown instance(s): {unknown:?}").replace(", ", ",")));
    }
    let nodes = &cluster.nodes;
    for instance in &mut cluster.instances {
        let chosen = selected.is_empty() || selected.contains(&instance.name);
        let whole = instance.secondary.is_none_or(|node| nodes[node.at()].group == nodes[instance.primary.at()].group);
        // Without its second node there is nothing that a move could start from.
        let complete = !instance.has_secondary() || instance.secondary.is_some();
        instance.movable &= chosen && whole && complete && !excluded.contains(&instance.name);
    }
    Ok(())
}

/// Takes over how much memory nodes may promise: by a tag of the node, else of its group, else of the cluster, else `default`.
pub fn set_memory_ratios(cluster: &mut Cluster, default: f64) {
    let of = |tags: &[String], outer: f64| {
        tag::chosen(tags, prefix::MEMORY_RATIO).into_iter().filter_map(ratio).reduce(f64::min).unwrap_or(outer)
    };
    let all = of(&cluster.tags, default);
    let groups: Vec<f64> = cluster.groups.iter().map(|group| of(&group.tags, all)).collect();
    for node in &mut cluster.nodes {
        node.memory_ratio = of(&node.tags, groups[node.group.at()]);
    }
}

/// A ratio as tags and options write it.
fn ratio(text: &str) -> Option<f64> {
    number::real("", text).ok().filter(|ratio| RATIOS.contains(ratio))
}

/// Tags that should be ratios and are none.
fn wrong_ratios(cluster: &Cluster) -> Vec<String> {
    let objects = std::iter::once(("the cluster".to_owned(), &cluster.tags))
        .chain(cluster.groups.iter().map(|group| (format!("group {}", group.name), &group.tags)))
        .chain(cluster.nodes.iter().map(|node| (format!("node {}", node.name), &node.tags)));
    let wrong = objects.flat_map(|(name, tags)| {
        let words = tag::chosen(tags, prefix::MEMORY_RATIO).into_iter().filter(|text| ratio(text).is_none());
        words
            .map(|text| format!("{name}: tag {}{text}: not a ratio from {} to {}", prefix::MEMORY_RATIO, RATIOS.start(), RATIOS.end()))
            .collect::<Vec<_>>()
    });
    wrong.collect()
}

fn set_aliases(cluster: &mut Cluster) {
    let cut = cluster.common_suffix().len();
    let alias = |name: &str| name[..name.len() - cut].to_owned();
    cluster.nodes.iter_mut().for_each(|node| node.alias = alias(&node.name));
    cluster.instances.iter_mut().for_each(|instance| instance.alias = alias(&instance.name));
}

fn set_tags(cluster: &mut Cluster, wishes: &Wishes) {
    let mut instances = std::mem::take(&mut cluster.instances);
    set_instance_tags(cluster, &wishes.exclusion, &mut instances);
    cluster.instances = instances;
    let words = &mut cluster.words;
    for node in &mut cluster.nodes {
        let migration = tag::selected(&cluster.tags, prefix::MIGRATION, &node.tags);
        let receivable = tag::receivable(&cluster.tags, &migration);
        let location = tag::selected(&cluster.tags, prefix::LOCATION, &node.tags);
        node.migration = tag::set(migration.into_iter().map(|tag| words.number(tag)).collect());
        node.receivable = tag::set(receivable.iter().map(|tag| words.number(tag)).collect());
        node.location = tag::set(location.into_iter().map(|tag| words.number(tag)).collect());
    }
}

/// Finds what tags of instances mean in a cluster. `exclusion`: prefixes besides those of the cluster's tags.
pub fn set_instance_tags(cluster: &mut Cluster, exclusion: &[String], instances: &mut [Instance]) {
    let owned = |tags: Vec<&str>| -> Vec<String> { tags.into_iter().map(str::to_owned).collect() };
    let mut exclusion = exclusion.to_vec();
    exclusion.extend(owned(tag::chosen_nonempty(&cluster.tags, prefix::EXCLUSION)));
    let desired = owned(tag::chosen_nonempty(&cluster.tags, prefix::DESIRED_LOCATION));
    let words = &mut cluster.words;
    for instance in instances {
        instance.exclusion = tag::beginning_with(&instance.tags, &exclusion).map(|tag| words.number(tag)).collect();
        instance.wishes = tag::set(tag::beginning_with(&instance.tags, &desired).map(|tag| words.number(tag)).collect());
    }
}

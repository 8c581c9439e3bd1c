//! CPU loads as the monitoring daemons report them: of whole nodes, or of instances as Xen sees them.
//!
//! One collector is asked, on every node. If a single node says nothing of use, nothing at all is taken over: loads that were
//! measured on some nodes and guessed on others cannot be compared.

mod report;

pub use report::{Report, parse_file};

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::Cluster;
use crate::show::haskell;
use crate::state::real;

/// Who measures on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collector {
    /// The CPU load of the whole node; each virtual CPU is taken to have an equal part in it.
    Nodes,
    /// The CPU load of each instance, as Xen counts it.
    XenInstances,
}

/// What a collector said about one node.
#[derive(Debug, Clone, PartialEq)]
pub enum Loads {
    /// The load of the whole node, in CPUs.
    Node(f64),
    /// The load of each instance on it, in CPUs.
    Instances(BTreeMap<String, f64>),
}

impl Collector {
    /// The name that reports carry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nodes => "cpu-avg-load",
            Self::XenInstances => "xen-cpu-avg-load",
        }
    }

    /// Where a monitoring daemon has its report.
    #[must_use]
    pub fn path(self) -> String {
        format!("/1/report/default/{}", self.name())
    }

    /// What the report says, if it is one of this collector's.
    #[must_use]
    pub fn read(self, report: &Report) -> Option<Loads> {
        match self {
            Self::Nodes => report.node_load().map(Loads::Node),
            Self::XenInstances => report.instance_loads().map(Loads::Instances),
        }
    }
}

/// Takes loads over into a merged cluster. `loads`: one per node, in the order of the nodes.
///
/// # Errors
/// A sentence about what is missing; the cluster is as it was.
pub fn apply(cluster: &mut Cluster, loads: &[Loads]) -> Result<(), String> {
    if loads.iter().any(|loads| matches!(loads, Loads::Instances(_))) {
        return apply_instances(cluster, loads);
    }
    for (node, loads) in cluster.nodes.iter_mut().zip(loads) {
        node.cpu_load = if let Loads::Node(load) = loads { Some(*load) } else { node.cpu_load };
    }
    let mut vcpus: Vec<i64> = cluster.nodes.iter().map(|node| node.node_cpus).collect();
    for instance in cluster.instances.iter().filter(|instance| instance.is_online() && !instance.forthcoming) {
        vcpus[instance.primary.at()] += instance.vcpus;
    }
    for instance in &mut cluster.instances {
        let at = instance.primary.at();
        if let Some(load) = cluster.nodes[at].cpu_load {
            instance.load[0] = load / real(vcpus[at]) * real(instance.vcpus);
        }
    }
    Ok(())
}

fn apply_instances(cluster: &mut Cluster, loads: &[Loads]) -> Result<(), String> {
    let mut known: BTreeMap<&str, f64> = BTreeMap::new();
    for loads in loads {
        let Loads::Instances(of_node) = loads else { continue };
        for (name, load) in of_node {
            // During a migration two nodes may have it; the first one counts.
            known.entry(name).or_insert(*load);
        }
    }
    let names: BTreeSet<&String> = cluster.instances.iter().map(|instance| &instance.name).collect();
    let missing: Vec<String> = names.into_iter().filter(|name| !known.contains_key(name.as_str())).cloned().collect();
    if !missing.is_empty() {
        return Err(format!("No CPU information available for {}", haskell::strings(&missing)));
    }
    for instance in &mut cluster.instances {
        instance.load[0] = known.get(instance.name.as_str()).copied().unwrap_or(instance.load[0]);
    }
    // The newest primary first, as the reference adds them up: sums of real numbers depend on the order.
    let mut sums = vec![0.0; cluster.nodes.len()];
    for instance in cluster.instances.iter().rev().filter(|instance| !instance.forthcoming) {
        sums[instance.primary.at()] += instance.load[0];
    }
    for (node, sum) in cluster.nodes.iter_mut().zip(sums) {
        node.cpu_load = Some(sum);
    }
    Ok(())
}

#[cfg(test)]
mod tests;

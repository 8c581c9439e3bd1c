//! Losses of several nodes at once: any so many of a group, or all that share a failure domain.

use std::collections::BTreeMap;

use super::Scope;
use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::state::State;

/// So many sets of nodes are looked at; more take too long, and the answer would be no better than that of a larger k.
pub const MOST_SETS: usize = 50_000;

/// A set of nodes that may be lost together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The failure domain that they share; `None`: just so many nodes.
    pub domain: Option<String>,
    /// In index order, all of one group.
    pub nodes: Vec<NodeId>,
}

/// There are too many sets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("group {group} has too many sets of {count} nodes to look at; {MOST_SETS} are the most")]
pub struct TooMany {
    /// The group's name.
    pub group: String,
    /// Nodes that may be lost together.
    pub count: usize,
}

/// All sets of 2 to `count` online nodes of one group. (Single nodes are asked about anyway.)
///
/// # Errors
/// There are more than [`MOST_SETS`].
pub fn of_count(cluster: &Cluster, count: usize) -> Result<Vec<Loss>, TooMany> {
    let mut found = Vec::new();
    for group in cluster.groups_with_nodes() {
        let nodes: Vec<NodeId> = cluster.nodes_of(group).filter(|id| !cluster.node(*id).offline).collect();
        let mut sets: Vec<Vec<NodeId>> = nodes.iter().map(|id| vec![*id]).collect();
        for _ in 1..count.min(nodes.len()) {
            let mut larger = Vec::new();
            for set in &sets {
                let last = set.last().copied();
                larger.extend(nodes.iter().filter(|id| Some(**id) > last).map(|id| {
                    let mut more = set.clone();
                    more.push(*id);
                    more
                }));
                if found.len() + larger.len() > MOST_SETS {
                    return Err(TooMany { group: cluster.group(group).name.clone(), count });
                }
            }
            found.extend(larger.iter().map(|nodes| Loss { domain: None, nodes: nodes.clone() }));
            sets = larger;
        }
    }
    Ok(found)
}

/// The online nodes of each failure domain: those that share a tag that begins with `PREFIX:`. A domain over several groups is
/// one loss in each of them.
#[must_use]
pub fn of_domains(cluster: &Cluster, prefix: &str) -> Vec<Loss> {
    let start = format!("{}:", prefix.trim_end_matches(':'));
    let mut domains: BTreeMap<(&str, usize), Vec<NodeId>> = BTreeMap::new();
    for id in cluster.node_ids().filter(|id| !cluster.node(*id).offline) {
        let node = cluster.node(id);
        for tag in node.tags.iter().filter(|tag| tag.starts_with(&start)) {
            domains.entry((tag, node.group.at())).or_default().push(id);
        }
    }
    domains.into_iter().map(|((domain, _), nodes)| Loss { domain: Some(domain.to_owned()), nodes }).collect()
}

/// What becomes of an instance when its primary node is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It runs on that node.
    Moved(NodeId),
    /// No node has room for it.
    Stranded,
    /// Its disks were on lost nodes only.
    Gone,
}

/// What is left of the instances when these nodes are lost together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Aftermath {
    /// Instances that no node has room for.
    pub stranded: usize,
    /// Instances whose disks were on lost nodes only.
    pub gone: usize,
}

/// Plays a loss through. Instances whose disks are gone do not count as stranded: no capacity brings them back.
#[must_use]
pub fn aftermath(cluster: &Cluster, state: &State, scope: &Scope, loss: &Loss) -> Aftermath {
    let mut after = Aftermath::default();
    for (_, fate) in fates(cluster, state, scope, &loss.nodes) {
        match fate {
            Fate::Moved(_) => {}
            Fate::Stranded => after.stranded += 1,
            Fate::Gone => after.gone += 1,
        }
    }
    after
}

/// The same, instance by instance: those that the scope minds and that have their primary on one of these nodes.
#[must_use]
pub fn fates(cluster: &Cluster, state: &State, scope: &Scope, lost: &[NodeId]) -> Vec<(InstanceId, Fate)> {
    super::played::Played::new(state.clone(), scope.clone()).lose(cluster, lost)
}

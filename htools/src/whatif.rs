//! What a cluster would be like if nodes were lost, or added.

use std::collections::{BTreeSet, HashMap};

use crate::cluster::Cluster;
use crate::evacuable::Scope;
use crate::evacuable::loss::{self, Fate};
use crate::id::{InstanceId, NodeId};
use crate::load::{Loaded, finish};
use crate::node::{Node, truncated};
use crate::state::{N1Rule, State};

/// What happens to the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhatIf {
    /// These nodes are lost, together.
    Lose(Vec<NodeId>),
    /// So many empty nodes are added, each like this one, to its group.
    Add(usize, NodeId),
}

/// More nodes are not added at once: a guard against typing errors that would eat all memory.
pub const MOST_ADDED: usize = 100_000;

/// What became of the instances of lost nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Nodes that were lost.
    pub nodes: usize,
    /// Instances that run on another node.
    pub moved: usize,
    /// Instances that run and have no secondary node any more.
    pub unprotected: usize,
    /// Instances that no node has room for; they are not in the cluster any more.
    pub stranded: usize,
    /// Instances whose disks were on lost nodes only; nor are they.
    pub gone: usize,
}

/// The nodes that a word names: a node, a group, or all nodes with that tag (say `rack:1`).
///
/// # Errors
/// Nothing is called so, or the name is not of one thing only.
pub fn nodes_named(cluster: &Cluster, word: &str) -> Result<Vec<NodeId>, String> {
    let node = cluster.find_node(word).ok();
    let group = cluster.find_group(word).ok();
    let tagged: Vec<NodeId> = cluster.node_ids().filter(|id| cluster.node(*id).tags.iter().any(|tag| tag == word)).collect();
    match (node, group, tagged.is_empty()) {
        (Some(node), None, true) => Ok(vec![node]),
        (None, Some(group), true) => Ok(cluster.nodes_of(group).collect()),
        (None, None, false) => Ok(tagged),
        (None, None, true) => Err(format!("no node, group or tag of nodes is called '{word}'")),
        _ => Err(format!("'{word}' is the name of more than one thing (node, group, tag of nodes)")),
    }
}

/// `COUNT,NODE`.
///
/// # Errors
/// It is not of that form, or there is no such node.
pub fn addition(cluster: &Cluster, text: &str) -> Result<WhatIf, String> {
    let (count, like) = text.split_once(',').ok_or_else(|| format!("'{text}' is not COUNT,NODE"))?;
    let number = count.parse::<usize>().ok().filter(|count| (1..=MOST_ADDED).contains(count));
    let number = number.ok_or_else(|| format!("'{count}' is not a number of nodes from 1 to {MOST_ADDED}"))?;
    let like = cluster.find_node(like).map_err(|_| format!("there is no node '{like}'"))?;
    Ok(WhatIf::Add(number, like))
}

/// The cluster afterwards, from one that was just loaded. Positions of nodes stay as they are; those of instances do not.
#[must_use]
pub fn after(cluster: &Cluster, state: &State, what: &WhatIf, rule: N1Rule) -> (Cluster, State, Outcome) {
    match what {
        WhatIf::Lose(nodes) => lose(cluster, state, nodes, rule),
        WhatIf::Add(count, like) => {
            let (cluster, state) = add(cluster, *count, *like, rule);
            (cluster, state, Outcome::default())
        }
    }
}

fn lose(cluster: &Cluster, state: &State, lost: &[NodeId], rule: N1Rule) -> (Cluster, State, Outcome) {
    let lost: BTreeSet<NodeId> = lost.iter().copied().collect();
    let mut outcome = Outcome { nodes: lost.len(), ..Outcome::default() };
    let mut scope = Scope::all(cluster);
    scope.which.mirrored_only = true;
    let fates: HashMap<InstanceId, Fate> =
        loss::fates(cluster, state, &scope, &lost.iter().copied().collect::<Vec<_>>()).into_iter().collect();
    let mut new = cluster.clone();
    let mut kept = Vec::new();
    for (id, mut instance) in cluster.instance_ids().zip(std::mem::take(&mut new.instances)) {
        match fates.get(&id) {
            Some(Fate::Stranded) => {
                outcome.stranded += 1;
                continue;
            }
            Some(Fate::Moved(to)) => {
                outcome.moved += 1;
                instance.primary = *to;
                new.nodes[to.at()].free_memory -= if instance.uses_memory() { instance.memory } else { 0 };
            }
            // What is bound to its node has no fate of its own.
            None if !lost.contains(&instance.primary) => {}
            Some(Fate::Gone) | None => {
                outcome.gone += 1;
                continue;
            }
        }
        if instance.secondary.is_some_and(|second| second == instance.primary || lost.contains(&second)) {
            outcome.unprotected += 1;
            instance.secondary = None;
            // There is nothing that a move could start from.
            instance.movable = false;
        }
        kept.push(instance);
    }
    new.instances = kept;
    for id in &lost {
        let node = &mut new.nodes[id.at()];
        let old = node.clone();
        *node = Node { alias: old.alias, tags: old.tags, master: old.master, offline: true, ..Node::new(&old.name, old.group) };
    }
    let Loaded { cluster, state, .. } = finish(new, 0, rule);
    (cluster, state, outcome)
}

fn add(cluster: &Cluster, count: usize, like: NodeId, rule: N1Rule) -> (Cluster, State) {
    let mut new = cluster.clone();
    let model = cluster.node(like);
    let mut taken: BTreeSet<String> = cluster.nodes.iter().map(|node| node.name.clone()).collect();
    let mut number = 0;
    for _ in 0..count {
        let name = loop {
            number += 1;
            let name = format!("{}-new-{number}", model.alias);
            if taken.insert(name.clone()) {
                break name;
            }
        };
        new.nodes.push(Node {
            alias: name.clone(),
            name,
            free_memory: truncated(model.total_memory) - model.node_memory,
            free_disk: truncated(model.total_disk),
            free_spindles: if model.exclusive_storage { model.spindles } else { model.free_spindles },
            missing_memory: 0,
            cpu_load: None,
            master: false,
            offline: false,
            ..model.clone()
        });
    }
    let Loaded { cluster, state, .. } = finish(new, 0, rule);
    (cluster, state)
}

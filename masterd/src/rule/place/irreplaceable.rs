//! Nodes whose loss could not be made up for, as `gnt-cluster verify` tells them.

use std::collections::HashMap;

use gannet_core::config::Config;
use gannet_core::id::{GroupUuid, NodeUuid};
use gannet_core::param::DiskTemplate;
use gannet_htools::{GroupId, NodeId, evacuable};

use super::columns::{Columns, Facts};
use super::rules::Rules;
use crate::refusal::Refusal;

/// A node whose loss could not be made up for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Irreplaceable {
    /// It.
    pub node: NodeUuid,
    /// Memory of its instances that can start elsewhere, in MiB.
    pub needed: i64,
    /// Memory that is not allocated on the other usable nodes of its group, in MiB.
    pub available: i64,
}

/// Nodes of a group whose instances would not all find a place elsewhere in it, as far as they can start elsewhere at all: the
/// question that placement asks, too. None in a group with one usable node: it has no redundancy that could be lost. `facts`: what the usable nodes of the group say.
///
/// # Errors
/// Only when the configuration contradicts itself.
pub fn irreplaceable(config: &Config, facts: &HashMap<NodeUuid, Facts>, group: &GroupUuid) -> Result<Vec<Irreplaceable>, Refusal> {
    // Only memory is asked about: disks are there already, or reached from everywhere.
    let Columns { cluster, state, nodes, groups, .. } = Columns::new(config, facts, DiskTemplate::SharedFile, None)?;
    let Some(group) = groups.iter().position(|known| known == group).map(GroupId::new) else { return Ok(Vec::new()) };
    let options = Rules::default().options;
    let members: Vec<NodeId> = cluster.nodes_of(group).collect();
    let usable = |id: &&NodeId| !cluster.node(**id).offline;
    if members.iter().filter(usable).count() < 2 {
        return Ok(Vec::new());
    }
    let scope = options.scope(members.clone());
    let free = |id: &NodeId| state.usage(*id).unallocated(cluster.node(*id)).max(0);
    let told = |id: NodeId| {
        let here = state.primaries[id.at()].iter().map(|instance| cluster.instance(*instance));
        Irreplaceable {
            node: nodes[id.at()].clone(),
            needed: here.filter(|instance| scope.minds(instance) && instance.uses_memory()).map(|instance| instance.memory).sum(),
            available: members.iter().filter(|other| **other != id && !cluster.node(**other).offline).map(free).sum(),
        }
    };
    // What is lost already is told of as such.
    Ok(evacuable::failing(&cluster, &state, &scope).into_iter().filter(|id| !cluster.node(*id).offline).map(told).collect())
}

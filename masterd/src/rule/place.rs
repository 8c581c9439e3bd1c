//! Where instances go: the built-in allocator, which is hail's library fed with the configuration and with what the nodes say now.
//!
//! It differs from the program hail in what it asks of the cluster after a placement. Hail refuses as soon as the loss of any
//! node could not be made up for; here only if this placement is what makes it so, and only for instances that can start on
//! another node at all (docs/decisions/007-n-plus-one-of-the-built-in-allocator.md).

mod columns;
mod irreplaceable;
mod rules;

use std::collections::HashMap;

use futures::future::join_all;
use gannet_core::config::{Config, Instance, Node};
use gannet_core::id::{GroupUuid, NodeUuid};
use gannet_core::param::DiskTemplate;
use gannet_htools::allocate::{self, Options};
use gannet_htools::evacuate::{self, Mode};
use gannet_htools::explain::Question;
use gannet_htools::{GroupId, InstanceId};
use gannet_proto::node::{InstanceListRequest, NodeInfoRequest};

use self::columns::Columns;
pub use self::columns::Facts;
pub use self::irreplaceable::{Irreplaceable, irreplaceable};
pub use self::rules::Rules;
use super::{node_check, spec};
use crate::held::Held;
use crate::node::NodeError;
use crate::refusal::Refusal;

/// The allocator that is built in.
pub const BUILT_IN: &str = "hail";
/// Stands for the cluster's default allocator (Ganeti: DEFAULT_IALLOCATOR_SHORTCUT).
pub const DEFAULT_SHORTCUT: &str = ".";

/// Which allocator chooses; `None` when nodes are given. Ganeti: CheckIAllocatorOrNode.
///
/// # Errors
/// Both or none of the two, or an allocator that is not built in.
pub fn chosen_iallocator(config: &Config, iallocator: Option<&str>, node: Option<&str>) -> Result<Option<String>, Refusal> {
    let name = match (iallocator, node) {
        (Some(_), Some(_)) => return Err(Refusal::invalid("Do not specify both, iallocator and node")),
        (None, Some(_)) => return Ok(None),
        (Some(name), None) if name != DEFAULT_SHORTCUT => name.to_owned(),
        (_, None) => config.cluster().default_iallocator.clone(),
    };
    if name.is_empty() {
        return Err(Refusal::invalid(
            "No iallocator or node given and no cluster-wide default iallocator found; please specify either an iallocator or a \
             node, or set a cluster-wide default iallocator",
        ));
    }
    if name != BUILT_IN {
        return Err(Refusal::invalid(format!(
            "Iallocator '{name}' is not available: external allocators are not in this version of Gannet yet; use {BUILT_IN}, which is built in"
        )));
    }
    Ok(Some(name))
}

/// Why there is no place, for an operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoPlace(String);

/// The cluster as it is now, ready to place instances in. What was placed is there for the next ones.
pub struct Placer {
    columns: Columns,
    rules: Rules,
}

/// A new instance that wants a place.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The instance as it will be; its primary node does not count.
    pub instance: &'a Instance,
    /// How its disks are kept.
    pub template: DiskTemplate,
    /// Their sizes, in MiB.
    pub disks_mib: Vec<u64>,
    /// Whether it is started.
    pub start: bool,
    /// Only this group.
    pub group: Option<&'a GroupUuid>,
    /// Only these nodes; `None`: all.
    pub nodes: Option<Vec<NodeUuid>>,
    /// Do not look at the policy.
    pub ignore_policy: bool,
}

impl Placer {
    /// Asks all usable nodes at the same time. Those that do not answer get nothing, and the job's log says so. Free disk
    /// space is that of the storage of `template`. `anew`: an instance that is there already and is to be placed as if it were new.
    ///
    /// # Errors
    /// Only when the configuration contradicts itself.
    pub async fn new(held: &Held<'_>, template: DiskTemplate, anew: Option<&Instance>) -> Result<Self, Refusal> {
        let config = held.config();
        let asked = config
            .nodes()
            .filter(|node| node_check::usable(node).is_ok())
            .map(|node| async move { (node.uuid.clone(), ask(held, node, template).await) });
        let mut facts = HashMap::new();
        for (uuid, answer) in join_all(asked).await {
            match answer {
                Ok(found) => {
                    facts.insert(uuid, found);
                }
                Err(error) => held.log().warn(format!("Node left out of the placement: {error}")),
            }
        }
        Self::from_facts(config, &facts, template, anew)
    }

    fn from_facts(
        config: &Config,
        facts: &HashMap<NodeUuid, Facts>,
        template: DiskTemplate,
        anew: Option<&Instance>,
    ) -> Result<Self, Refusal> {
        let columns = Columns::new(config, facts, template, anew)?;
        let rules = Rules::read(&config.cluster().default_iallocator_params)?;
        Ok(Self { columns, rules })
    }

    /// Finds nodes for a new instance: its primary, and its secondary if the template has one. It is there from then on.
    ///
    /// # Errors
    /// What stands in the way where, and what would help.
    pub fn allocate(&mut self, config: &Config, wanted: &Wanted<'_>) -> Result<Vec<NodeUuid>, NoPlace> {
        let new = self.columns.newcomer(config, wanted.instance, wanted.template, &wanted.disks_mib, wanted.start);
        let id = InstanceId::new(self.columns.cluster.instances.len());
        self.columns.cluster.instances.push(new);
        let found = self.find(id, wanted);
        if found.is_err() {
            self.columns.cluster.instances.pop();
        }
        found
    }

    fn find(&mut self, id: InstanceId, wanted: &Wanted<'_>) -> Result<Vec<NodeUuid>, NoPlace> {
        let columns = &mut self.columns;
        let group = wanted.group.and_then(|uuid| columns.groups.iter().position(|group| group == uuid)).map(GroupId::new);
        let names = |allowed: &Vec<NodeUuid>| {
            let known = columns.cluster.nodes.iter().zip(&columns.nodes);
            known.filter(|(_, uuid)| allowed.contains(uuid)).map(|(node, _)| node.name.clone()).collect()
        };
        let restrict_to = wanted.nodes.as_ref().map(names);
        let options = Options { restrict_to, ..self.rules.for_placement(columns).map_err(|error| NoPlace(error.to_string()))? };
        let without_policy = wanted.ignore_policy.then(|| {
            let mut cluster = columns.cluster.clone();
            cluster.groups.iter_mut().for_each(|group| {
                group.policy.ranges.clear();
                group.policy.templates = gannet_htools::policy::TEMPLATES.to_vec();
            });
            cluster
        });
        let cluster = without_policy.as_ref().unwrap_or(&columns.cluster);
        let count = i64::try_from(cluster.instance(id).required_nodes()).unwrap_or(i64::MAX);
        let found = match group {
            Some(group) => allocate::in_group(cluster, &columns.state, id, group, count, &options),
            None => allocate::in_any_group(cluster, &columns.state, id, count, &options),
        };
        let Some(best) = found.ok().and_then(|(solution, _)| solution.best) else {
            let question = Question { cluster, state: &columns.state, id, group, options: &options };
            return Err(NoPlace(question.explain().line(&question)));
        };
        columns.state.place(&columns.cluster, id, best.primary, best.secondary);
        Ok(best.nodes().map(|node| columns.nodes[node.at()].clone()).collect())
    }

    /// Finds another node for an instance on shared storage, in its group. It is there from then on. When its own node cannot be
    /// used any more, only memory counts.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn relocate(&mut self, instance: &Instance) -> Result<NodeUuid, NoPlace> {
        let columns = &mut self.columns;
        let id = columns.cluster.find_instance(instance.name.as_str()).map_err(|error| NoPlace(error.to_string()))?;
        let from = columns.state.primary[id.at()];
        let found = evacuate::evacuate(&columns.cluster, &columns.state, Mode::Primary, &[id], &self.rules.options);
        if let Some((_, reason)) = found.failed.into_iter().next() {
            return Err(NoPlace(reason));
        }
        let to = found.state.primary[id.at()];
        if to == from {
            return Err(NoPlace(format!("no other node takes instance {}", instance.name)));
        }
        columns.state = found.state;
        Ok(columns.nodes[to.at()].clone())
    }
}

async fn ask(held: &Held<'_>, node: &Node, template: DiskTemplate) -> Result<Facts, NodeError> {
    let reads = held.context().master.nodes().reads(node)?;
    let hypervisors = held.config().cluster().enabled_hypervisors.clone();
    let request = NodeInfoRequest { hypervisors: hypervisors.clone(), storage: node_check::storage_units(held.config(), template) };
    let (info, instances) = tokio::join!(reads.node_info(request), reads.instance_list(InstanceListRequest { hypervisors }));
    Ok(Facts { info: info?, instances: instances? })
}

/// Another node for one instance on shared storage, chosen by `iallocator` or the cluster's default one.
///
/// # Errors
/// No such allocator; or `insufficient_resources` with what stands in the way on each node, in Ganeti's words.
pub async fn relocate(held: &Held<'_>, instance: &Instance, iallocator: Option<&str>) -> Result<NodeUuid, Refusal> {
    let iallocator = chosen_iallocator(held.config(), iallocator, None)?.unwrap_or_default();
    let template = held.config().disk_template(instance).parse().unwrap_or(DiskTemplate::SharedFile);
    let mut placer = Placer::new(held, template, None).await?;
    let target = placer.relocate(instance).map_err(|why| no_place(&iallocator, &why))?;
    let name = spec::node_name(held.config(), &target);
    held.log().note(format!("Selected nodes for instance {} via iallocator {iallocator}: {name}", instance.name));
    Ok(target)
}

/// Ganeti's words for a placement that was not found.
#[must_use]
pub fn no_place(iallocator: &str, why: &NoPlace) -> Refusal {
    Refusal::no_resources(format!("Can't compute nodes using iallocator '{iallocator}': {why}"))
}

#[cfg(test)]
mod one_model;
#[cfg(test)]
mod tests;

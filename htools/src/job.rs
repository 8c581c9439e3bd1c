//! Steps of a plan as lines, commands and sets of jobs.

use crate::cluster::Cluster;
use crate::id::{InstanceId, NodeId};
use crate::moves::Move;
use crate::show::number::fixed;

/// One accepted move of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Who moves.
    pub instance: InstanceId,
    /// How.
    pub chosen: Move,
    /// Nodes before: primary, secondary.
    pub old: (NodeId, Option<NodeId>),
    /// Nodes afterwards.
    pub new: (NodeId, Option<NodeId>),
    /// The score afterwards.
    pub score: f64,
}

/// Widths of the columns of a plan, in letters.
#[derive(Debug, Clone, Copy)]
pub struct Widths {
    /// The longest alias of a node.
    pub node: usize,
    /// The longest alias of an instance.
    pub instance: usize,
}

impl Planned {
    /// The line of the plan, `position` counted from 1.
    #[must_use]
    pub fn line(&self, cluster: &Cluster, widths: Widths, position: usize) -> String {
        let pair = 2 * widths.node + 1;
        let alias = &cluster.instance(self.instance).alias;
        format!(
            "  {position:3}. {alias:<instance$} {:<pair$} => {:<pair$} {:>12} a={}",
            nodes(cluster, self.old),
            nodes(cluster, self.new),
            fixed(self.score, 8),
            self.short(cluster),
            instance = widths.instance,
        )
    }

    /// The move in short.
    fn short(&self, cluster: &Cluster) -> String {
        let alias = |node: NodeId| &cluster.node(node).alias;
        match self.chosen {
            Move::Failover => "f".to_owned(),
            Move::FailoverToAny(t) => format!("fa:{}", alias(t)),
            Move::FailoverAndReplace(t) => format!("f r:{}", alias(t)),
            Move::ReplaceSecondary(t) => format!("r:{}", alias(t)),
            Move::ReplaceAndFailover(t) => format!("r:{} f", alias(t)),
            Move::ReplacePrimary(t) => format!("f r:{} f", alias(t)),
        }
    }

    /// What `gnt-instance` would be asked to do, without that word.
    #[must_use]
    pub fn commands(&self, cluster: &Cluster) -> Vec<String> {
        let instance = cluster.instance(self.instance);
        let (name, alias) = (&instance.alias, |node: NodeId| &cluster.node(node).alias);
        let verb = if instance.is_running() { "migrate" } else { "failover" };
        let change = format!("{verb} -f {name}");
        let replace = |node: NodeId| format!("replace-disks -n {} {name}", alias(node));
        match self.chosen {
            Move::Failover => vec![change],
            Move::FailoverToAny(t) => vec![format!("{verb} -f -n {} {name}", alias(t))],
            Move::FailoverAndReplace(t) => vec![change, replace(t)],
            Move::ReplaceSecondary(t) => vec![replace(t)],
            Move::ReplaceAndFailover(t) => vec![replace(t), change],
            Move::ReplacePrimary(t) => vec![change.clone(), replace(t), change],
        }
    }

    /// All nodes that take part, old and new.
    #[must_use]
    pub fn involved(&self, cluster: &Cluster) -> Vec<NodeId> {
        let old_second = if cluster.instance(self.instance).has_secondary() { self.old.1 } else { None };
        let mut nodes: Vec<NodeId> = [Some(self.new.0), self.new.1, Some(self.old.0), old_second].into_iter().flatten().collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }
}

fn nodes(cluster: &Cluster, (primary, secondary): (NodeId, Option<NodeId>)) -> String {
    let alias = |node: NodeId| &cluster.node(node).alias;
    secondary.map_or_else(|| alias(primary).clone(), |secondary| format!("{}:{}", alias(primary), alias(secondary)))
}

/// Splits a plan into sets of moves that can run at the same time: runs of moves that share no node. They are gathered from the
/// end of the plan, as in the reference.
#[must_use]
pub fn sets<'a>(cluster: &Cluster, plan: &'a [Planned]) -> Vec<Vec<&'a Planned>> {
    let mut sets: Vec<Vec<&Planned>> = Vec::new();
    let mut busy: Vec<NodeId> = Vec::new();
    for step in plan.iter().rev() {
        let nodes = step.involved(cluster);
        match sets.last_mut() {
            Some(set) if !nodes.iter().any(|node| busy.contains(node)) => {
                set.push(step);
                busy.extend(nodes);
            }
            _ => {
                sets.push(vec![step]);
                busy = nodes;
            }
        }
    }
    sets.iter_mut().for_each(|set| set.reverse());
    sets.reverse();
    sets
}

/// The sets as lines of a shell script.
#[must_use]
pub fn script(cluster: &Cluster, sets: &[Vec<&Planned>]) -> String {
    let mut text = String::new();
    for (at, set) in sets.iter().enumerate() {
        text.push_str(&format!("\necho jobset {}, {} jobs\n", at + 1, set.len()));
        for (job, step) in set.iter().enumerate() {
            text.push_str(&format!("  echo job {}/{}\n  check\n", at + 1, job + 1));
            for command in step.commands(cluster) {
                text.push_str(&format!("  gnt-instance {command}\n"));
            }
        }
    }
    text
}

//! Places on nodes with exclusive storage: those that cost the fewest future instances, largest sizes first.

use gannet_core::param::DiskTemplate;

use super::group::{connected, first, selected, told};
use super::target::Pairs;
use super::{Options, Placement, Refusal, Solution, Targets, targets};
use crate::cluster::Cluster;
use crate::fail::FailMode;
use crate::id::{GroupId, InstanceId, NodeId};
use crate::instance::Instance;
use crate::policy::Policy;
use crate::state::{Effect, Limits, State, Usage};

/// A node is not filled with more instances than this of one size when they are counted; the smallest size of a policy may be
/// nothing at all.
const MOST_INSTANCES: i64 = 100_000;

/// Instances of the smallest size of each range that are lost, the largest disk first; then disk space that is left free, in MiB.
pub type Lost = (Vec<i64>, i64);

/// A solution with its metric.
pub type LostSolution = Solution<Lost>;

/// Whether all nodes of the group of that name (without one: of all groups that take instances) have exclusive storage.
#[must_use]
pub fn is_dedicated(cluster: &Cluster, group: Option<&str>) -> bool {
    let meant = |id: GroupId| {
        let found = cluster.group(id);
        group.map_or_else(|| found.is_allocable(), |name| found.name == name)
    };
    cluster.nodes.iter().all(|node| node.exclusive_storage || !meant(node.group))
}

/// The metric in words.
#[must_use]
pub fn describe((lost, disk): &Lost) -> String {
    let lost: Vec<String> = lost.iter().map(ToString::to_string).collect();
    format!("([{}],{disk})", lost.join(","))
}

/// In one group, with what is to be said of it.
///
/// # Errors
/// The group misses a network, or has no node to try.
pub fn in_group(
    cluster: &Cluster,
    state: &State,
    id: InstanceId,
    group: GroupId,
    count: i64,
    options: &Options,
) -> Result<(LostSolution, Vec<String>), Refusal> {
    let instance = cluster.instance(id);
    connected(cluster, group, instance)?;
    let nodes: Vec<NodeId> = cluster.nodes_of(group).collect();
    let view = View::new(cluster, state, instance, &cluster.group(group).policy, options);
    let solution = match targets(cluster, &nodes, count, options, false)? {
        Targets::Single(nodes) if nodes.is_empty() => return Err(Refusal::new("No online nodes")),
        Targets::Pairs(pairs) if pairs.is_empty() => return Err(Refusal::new("Not enough online nodes")),
        Targets::Single(nodes) => view.single(&nodes),
        Targets::Pairs(pairs) => view.pairs(&pairs),
    };
    let log = vec![told(cluster, group, &solution.describe(cluster, describe))];
    Ok((solution, log))
}

/// In the best of all groups, with what is to be said of them.
///
/// # Errors
/// No group takes the instance.
pub fn in_any_group(
    cluster: &Cluster,
    state: &State,
    id: InstanceId,
    count: i64,
    options: &Options,
) -> Result<(LostSolution, Vec<String>), Refusal> {
    let mut log = Vec::new();
    let mut good = Vec::new();
    for group in cluster.groups_with_nodes() {
        match in_group(cluster, state, id, group, count, options) {
            Err(refusal) => log.push(format!("Group {}: error {refusal}", cluster.group(group).name)),
            Ok((solution, _)) => {
                log.push(told(cluster, group, &solution.describe(cluster, describe)));
                if solution.best.is_some() && cluster.group(group).is_allocable() {
                    good.push((group, solution));
                }
            }
        }
    }
    let Some((group, solution)) = first(cluster, good, |solution| solution.best.as_ref().map(|best| best.metric.clone())) else {
        return Err(Refusal(log.join(", ")));
    };
    log.insert(0, selected(cluster, group));
    Ok((solution, log))
}

struct View<'a> {
    cluster: &'a Cluster,
    state: &'a State,
    instance: &'a Instance,
    policy: &'a Policy,
    /// Instances of the smallest sizes.
    tests: Vec<Instance>,
    limits: Limits,
}

impl<'a> View<'a> {
    fn new(cluster: &'a Cluster, state: &'a State, instance: &'a Instance, policy: &'a Policy, options: &Options) -> Self {
        let mut sizes: Vec<_> = policy.ranges.iter().map(|range| range.min).collect();
        sizes.sort_by_key(|size| std::cmp::Reverse(size.disk));
        let test = |size: &crate::policy::Spec| Instance {
            memory: size.memory,
            disk: size.disk,
            vcpus: size.cpus,
            auto_balance: false,
            spindle_use: size.spindles,
            ..Instance::new("minimalspecinstance", DiskTemplate::Plain, Vec::new())
        };
        let limits = Limits::unless(options.ignore_soft_errors);
        Self { cluster, state, instance, policy, tests: sizes.iter().map(test).collect(), limits }
    }

    fn single(&self, nodes: &[NodeId]) -> LostSolution {
        let mut solution = Solution::default();
        for p in nodes {
            match self.primary(*p) {
                Err(mode) => solution.fail(mode, 1),
                Ok((usage, lost)) => {
                    solution.successes += 1;
                    solution.take(Placement { primary: (*p, usage), secondary: None, metric: (lost, usage.free_disk) });
                }
            }
        }
        solution
    }

    fn pairs(&self, pairs: &Pairs) -> LostSolution {
        let mut solution = Solution::default();
        for (p, list) in &pairs.primaries {
            let seconds = pairs.seconds[*list].iter().filter(|s| *s != p);
            let (usage, lost) = match self.primary(*p) {
                Ok(found) => found,
                Err(mode) => {
                    solution.fail(mode, seconds.count());
                    continue;
                }
            };
            for s in seconds {
                match self.state.with_secondary(self.cluster, *s, self.instance, *p, Limits::All) {
                    Err(mode) => solution.fail(mode, 1),
                    Ok(second) => {
                        solution.successes += 1;
                        let also = self.lost(*s, &second);
                        let lost = lost.iter().zip(also).map(|(a, b)| a + b).collect();
                        let metric = (lost, usage.free_disk + second.free_disk);
                        solution.take(Placement { primary: (*p, usage), secondary: Some((*s, second)), metric });
                    }
                }
            }
        }
        solution
    }

    fn primary(&self, p: NodeId) -> Result<(Usage, Vec<i64>), FailMode> {
        self.policy.check(self.instance, self.cluster.node(p).exclusive_storage)?;
        let usage = self.state.with_primary(self.cluster, p, self.instance, 0, self.limits)?;
        Ok((usage, self.lost(p, &usage)))
    }

    /// Per test instance: how many fewer fit.
    fn lost(&self, node: NodeId, after: &Usage) -> Vec<i64> {
        let before = self.state.usage(node);
        self.tests.iter().map(|test| self.fitting(node, before, test) - self.fitting(node, after, test)).collect()
    }

    fn fitting(&self, node: NodeId, usage: &Usage, test: &Instance) -> i64 {
        let node = self.cluster.node(node);
        let mut usage = *usage;
        let mut count = 0;
        while count < MOST_INSTANCES
            && let Ok(fuller) = usage.with_primary(node, test, Effect::default(), Limits::All)
        {
            usage = fuller;
            count += 1;
        }
        count
    }
}

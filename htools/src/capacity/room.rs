//! A cluster that is being filled.

use super::scout::Scout;
use super::{Filled, MOST_INSTANCES, Question, Size};
use crate::allocate::{self, Options, Placement, Refusal, Solution, Targets};
use crate::cluster::Cluster;
use crate::evacuable::{self, Scope};
use crate::fail::FailCounts;
use crate::id::InstanceId;
use crate::instance::Instance;
use crate::state::State;

/// The least number of instances that are placed before it is asked whether the cluster can still lose a node.
const LEAST_GUESS: i64 = 20;
/// The same after a first number was too high.
const SMALL_BATCH: i64 = 10;

/// What comes of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It has a place.
    Place,
    /// It has none.
    Nothing,
    /// It has none with which every node could be lost.
    Unsafe,
}

/// The cluster with what was placed so far.
#[derive(Debug)]
pub(super) struct Room<'a> {
    question: &'a Question<'a>,
    cluster: Cluster,
    state: State,
    first: usize,
    scope: Scope,
    /// Without what makes sure that nodes can be lost.
    careless: Options,
    /// Whether nodes can be lost as it is, if that is known.
    redundant: Option<bool>,
    /// What is known of sizes as it is.
    scout: Option<Scout>,
}

impl<'a> Room<'a> {
    pub(super) fn new(question: &'a Question<'a>) -> Self {
        Self {
            question,
            cluster: question.cluster.clone(),
            state: question.state.clone(),
            first: question.cluster.instances.len(),
            scope: question.options.scope(question.cluster.node_ids().collect()),
            careless: Options { capacity: false, ..question.options.clone() },
            redundant: None,
            scout: None,
        }
    }

    /// How many were placed so far.
    pub(super) fn count(&self) -> usize {
        self.cluster.instances.len() - self.first
    }

    pub(super) fn filled(self, failures: Option<FailCounts>) -> Filled {
        Filled { cluster: self.cluster, state: self.state, first: self.first, failures }
    }

    /// Places instances until no more fit, and says how the last attempt fared.
    ///
    /// As long as every node could be lost after many placements, it could be lost after each of them, so it is not asked in
    /// between. Ganeti's numbers are kept: with other ones the result can be another, because what has drbd is placed one by one
    /// without the question.
    pub(super) fn fill(&mut self, instance: &Instance, mut limit: Option<i64>) -> Result<FailCounts, Refusal> {
        if let Some(failures) = self.refusal(instance) {
            return Ok(failures);
        }
        if !self.question.options.capacity {
            return self.one_by_one(instance, limit, false);
        }
        let mut guessing = true;
        loop {
            let batch = if guessing { self.guess(instance) } else { SMALL_BATCH };
            let later = limit.map(|limit| (limit - batch).max(0));
            let (before, count) = (self.state.clone(), self.cluster.instances.len());
            let failures = self.one_by_one(instance, Some(limit.map_or(batch, |limit| limit.min(batch))), false)?;
            if self.is_redundant() {
                if later == Some(0) || self.cluster.instances.len() == count {
                    return Ok(failures);
                }
                limit = later;
                continue;
            }
            if self.cluster.instances.len() > count {
                self.cluster.instances.truncate(count);
                self.state = before;
                self.changed();
            }
            if !guessing {
                return self.one_by_one(instance, limit, true);
            }
            guessing = false;
        }
    }

    /// Places one after the other, `careful` or not.
    fn one_by_one(&mut self, instance: &Instance, mut limit: Option<i64>, careful: bool) -> Result<FailCounts, Refusal> {
        // Ganeti: what has drbd is only checked in batches. That is no check at all of the loss of several nodes.
        let careful = careful && (!instance.has_secondary() || !self.question.options.losses.is_empty());
        loop {
            let (id, solution) = self.attempt(instance, careful)?;
            let Some(best) = solution.best.filter(|_| limit != Some(0)) else {
                self.cluster.instances.pop();
                return Ok(solution.failures);
            };
            self.place(id, &best)?;
            limit = limit.map(|limit| limit - 1);
        }
    }

    /// Looks for a place. The instance is the last of the cluster's then, and placed or taken out by the caller.
    fn attempt(&mut self, instance: &Instance, careful: bool) -> Result<(InstanceId, Solution), Refusal> {
        let name = format!("new-{}", self.count());
        let id = InstanceId::new(self.cluster.instances.len());
        self.cluster.instances.push(Instance { alias: name.clone(), name, ..instance.clone() });
        let options = if careful { self.question.options } else { &self.careless };
        let solution = allocate::allocate(&self.cluster, &self.state, id, &self.scope, self.question.targets, options)?;
        Ok((id, solution))
    }

    /// Whether there is a place, and why not; nothing is placed.
    pub(super) fn probe(&mut self, instance: &Instance) -> Result<(Found, FailCounts), Refusal> {
        if let Some(failures) = self.refusal(instance) {
            return Ok((Found::Nothing, failures));
        }
        let (_, solution) = self.attempt(instance, self.question.options.capacity)?;
        self.cluster.instances.pop();
        let found = if solution.best.is_some() { Found::Place } else { Found::Unsafe };
        Ok((found, solution.failures))
    }

    fn place(&mut self, id: InstanceId, best: &Placement) -> Result<(), Refusal> {
        if self.count() > MOST_INSTANCES {
            return Err(Refusal::new(format!("more than {MOST_INSTANCES} instances of this size fit; it takes too little")));
        }
        self.state.place(&self.cluster, id, best.primary, best.secondary);
        self.changed();
        Ok(())
    }

    fn changed(&mut self) {
        self.redundant = None;
        self.scout = None;
    }

    /// Why an instance has no place; `None`: it may have one.
    fn refusal(&mut self, instance: &Instance) -> Option<FailCounts> {
        let (cluster, state, targets) = (&self.cluster, &self.state, self.question.targets);
        let empty = match targets {
            Targets::Single(nodes) => nodes.is_empty(),
            Targets::Pairs(pairs) => pairs.is_empty(),
        };
        if empty {
            return None;
        }
        self.scout.get_or_insert_with(|| Scout::new(cluster, state, targets)).refusal(cluster, state, targets, instance)
    }

    /// The smallest memory and disk space with which a size that has no place is refused for the same reasons.
    pub(super) fn least_alike(&self, instance: &Instance) -> (i64, i64) {
        self.scout.as_ref().map_or((i64::MAX, i64::MAX), |scout| scout.least(&Size::of(instance)))
    }

    fn is_redundant(&mut self) -> bool {
        let Self { cluster, state, scope, redundant, .. } = self;
        *redundant.get_or_insert_with(|| evacuable::all(cluster, state, scope))
    }

    /// Instances that fit by their memory, less one per node, which may just not have enough of it.
    fn guess(&self, instance: &Instance) -> i64 {
        let available: i64 = self.cluster.node_ids().map(|id| self.state.usage(id).available_memory(self.cluster.node(id))).sum();
        let nodes = i64::try_from(self.cluster.nodes.len()).unwrap_or(i64::MAX);
        let fitting = available.checked_div(instance.memory).unwrap_or(0);
        (fitting - nodes).max(LEAST_GUESS)
    }
}

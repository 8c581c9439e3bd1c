//! What is done for a dead node: it is marked offline, its instances are failed over, and when it comes back, what runs elsewhere
//! by now is ended there.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gannet_core::auto_failover;
use gannet_core::config::{AdminState, Config, Instance, Node};
use gannet_core::id::{InstanceUuid, JobId, NodeUuid};
use gannet_core::lease::RENEW_EVERY;
use gannet_core::opcode::{InstanceFailover, NodeSetParams, Op, OpCode, Priority, ReasonEntry};
use gannet_proto::node::{InstanceListRequest, InstanceRef, LeaseRequest};

use super::judge::Fence;
use super::row::{Death, Row};
use super::{Done, Watched, Watcher};
use crate::job::Entry;
use crate::master::Master;
use crate::node::NodeError;
use crate::store::State;

/// A job that failed is tried again after this long.
const AGAIN: Duration = Duration::from_secs(30);
/// A node that has answered later than that is there.
const SILENT: Duration = Duration::from_secs(3 * RENEW_EVERY.as_secs());
/// How often it is looked whether a dead node is back.
const LOOK: Duration = Duration::from_secs(3);

/// What was submitted lately. Losing it costs a look into the queue.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    offline: HashMap<NodeUuid, Duration>,
    failovers: HashMap<InstanceUuid, (Duration, JobId)>,
    looks: HashMap<NodeUuid, Duration>,
}

impl Recovery {
    /// For operators.
    pub(super) fn story(&self, node: &Node, death: Death) -> String {
        let next = if node.offline {
            format!("bring it back with `gnt-node modify --offline=no {}`", node.name)
        } else {
            "it is being marked offline".to_owned()
        };
        format!("it was found dead ({}); its instances with automatic failover are started elsewhere; {next}", death.fence)
    }
}

impl Watcher {
    /// One round for all dead nodes whose death the store knows.
    pub(super) async fn recover(&mut self, state: &State) {
        let dead: Vec<(NodeUuid, Death)> = self
            .rows
            .iter()
            .filter(|(uuid, _)| !self.unwritten.contains(*uuid))
            .filter_map(|(uuid, row)| Some((uuid.clone(), row.dead?)))
            .collect();
        for (uuid, death) in dead {
            let Some(node) = state.config.node(&uuid).cloned() else {
                self.rows.remove(&uuid);
                self.unwritten.insert(uuid);
                continue;
            };
            // Only its agent can be dead while its master daemon decides this; it cannot be marked offline.
            let is_master = node.uuid == state.config.cluster().master_node;
            match (death.offline, node.offline) {
                (false, false) if !is_master => self.mark_offline(&node, death).await,
                (false, true) => self.set_death(&uuid, Some(Death { offline: true, ..death })),
                (true, false) => self.look(&node),
                (true, true) | (false, false) => {
                    if !self.waits_for_others() {
                        self.fail_over(state, &node, death).await;
                    }
                    self.look(&node);
                }
            }
        }
    }

    /// Whether another node is silent whose lease goes on: an instance that was on its way there when both were lost may have
    /// arrived, and its record need not say so. The lease of that node covers it, too.
    fn waits_for_others(&self) -> bool {
        let now = self.now();
        let is_alive = |uuid: &NodeUuid| self.rows.get(uuid).is_none_or(|row| row.dead.is_none());
        let is_open = |node: &Watched| node.ledger.silent_for(now) > SILENT && !node.ledger.is_over(now);
        self.nodes.iter().any(|(uuid, node)| is_alive(uuid) && is_open(node))
    }

    fn set_death(&mut self, uuid: &NodeUuid, death: Option<Death>) {
        if let Some(row) = self.rows.get_mut(uuid) {
            row.dead = death;
            self.unwritten.insert(uuid.clone());
        }
    }

    async fn mark_offline(&mut self, node: &Node, death: Death) {
        let now = self.now();
        let is_recent = self.recovery.offline.get(&node.uuid).is_some_and(|at| now.saturating_sub(*at) < AGAIN);
        if is_recent || is_pending(&self.master, |op| is_offline_of(op, node)) {
            return;
        }
        let powered = (death.fence == Fence::Power).then_some(false);
        let op = NodeSetParams { offline: Some(true), auto_promote: true, powered, ..NodeSetParams::new(node.name.as_str()) };
        let ops = vec![self.with_reason(op.into(), node, death)];
        self.recovery.offline.insert(node.uuid.clone(), now);
        match self.master.queue().submit(ops, false).await {
            Ok(job) => tracing::warn!(node = %node.name, %job, "the dead node is marked offline"),
            Err(error) => tracing::error!(node = %node.name, %error, "the dead node could not be marked offline"),
        }
    }

    /// The most important ones get the first numbers, and so their locks and the memory first.
    async fn fail_over(&mut self, state: &State, node: &Node, death: Death) {
        let now = self.now();
        let row = self.rows.get(&node.uuid).cloned().unwrap_or_default();
        let mut jobs = Vec::new();
        let mut who = Vec::new();
        for instance in candidates(&state.config, node, &row, death.fence) {
            let last = self.recovery.failovers.get(&instance.uuid).copied();
            if last.is_some_and(|(at, _)| now.saturating_sub(at) < AGAIN) || is_pending(&self.master, |op| moves(op, &instance)) {
                continue;
            }
            if let Some((_, job)) = last {
                tracing::warn!(instance = %instance.name, %job, "the failover did not succeed, see the job; trying again");
            }
            let op = InstanceFailover { ignore_consistency: true, ..InstanceFailover::new(instance.name.as_str()) };
            jobs.push(vec![self.with_reason(op.into(), node, death)]);
            who.push(instance);
        }
        if jobs.is_empty() {
            return;
        }
        match self.master.queue().submit_many(jobs).await {
            Ok(outcomes) => {
                for (instance, outcome) in who.iter().zip(outcomes) {
                    match outcome {
                        Ok(job) => {
                            tracing::warn!(instance = %instance.name, node = %node.name, %job, "failing over from the dead node");
                            self.recovery.failovers.insert(instance.uuid.clone(), (now, job));
                        }
                        Err(error) => tracing::error!(instance = %instance.name, %error, "no failover"),
                    }
                }
            }
            Err(error) => tracing::error!(node = %node.name, %error, "the instances of the dead node are not failed over yet"),
        }
    }

    fn with_reason(&self, mut op: OpCode, node: &Node, death: Death) -> OpCode {
        op.common.priority = Priority::HIGH;
        op.common.reason.push(ReasonEntry {
            source: "gannet:node-death".to_owned(),
            reason: format!("node {} does not answer, and {}", node.name, death.fence),
            timestamp_ns: self.master.clock().now().as_nanos(),
        });
        op
    }

    /// Whether the node is back, from time to time.
    fn look(&mut self, node: &Arc<Node>) {
        let now = self.now();
        let is_recent = self.recovery.looks.get(&node.uuid).is_some_and(|at| now.saturating_sub(*at) < LOOK);
        let Some(watched) = self.nodes.get_mut(&node.uuid).filter(|watched| !is_recent && !watched.calling) else { return };
        watched.calling = true;
        self.recovery.looks.insert(node.uuid.clone(), now);
        let (master, node) = (self.master.clone(), node.clone());
        self.tasks.spawn(async move {
            let outcome = sweep(&master, &node).await;
            Done::Swept(node.uuid.clone(), outcome)
        });
    }

    /// A dead node has answered, or not.
    pub(super) fn swept(&mut self, uuid: &NodeUuid, outcome: Result<Vec<String>, NodeError>) {
        if let Some(watched) = self.nodes.get_mut(uuid) {
            watched.calling = false;
        }
        let ended = match outcome {
            Ok(ended) => ended,
            Err(error) => {
                tracing::debug!(%error, "the dead node is not back");
                return;
            }
        };
        let state = self.master.store().state();
        let Some(node) = state.config.node(uuid) else { return };
        if !ended.is_empty() {
            tracing::warn!(node = %node.name, guests = ended.join(", "), "ended on a node that came back: they belong to others by now");
        }
        let Some(row) = self.rows.get(uuid) else { return };
        let Some(death) = row.dead else { return };
        let is_master = *uuid == state.config.cluster().master_node;
        let none_left = || candidates(&state.config, node, row, death.fence).is_empty();
        let is_back = if death.offline { !node.offline } else { is_master && none_left() };
        if is_back {
            tracing::warn!(node = %node.name, "the node is back");
            self.set_death(uuid, None);
            // Begins anew with the next round, with the wait of a new master.
            self.nodes.remove(uuid);
        }
    }
}

/// Ends what is there and belongs to others by now. An answer means that nothing of that is left.
async fn sweep(master: &Master, node: &Node) -> Result<Vec<String>, NodeError> {
    let handle = master.nodes().handle_even_offline(node)?;
    let hypervisors = master.store().state().config.cluster().enabled_hypervisors.clone();
    let there = handle.instance_list(InstanceListRequest { hypervisors }).await?;
    if let Some((hypervisor, error)) = there.errors.iter().next() {
        return Err(handle.refused("instance_list", &format!("hypervisor {hypervisor}: {error}")));
    }
    let config = master.store().state().config.clone();
    let is_elsewhere = |uuid: &str| config.instance(&InstanceUuid::from(uuid)).is_some_and(|instance| instance.primary_node != node.uuid);
    let stale: Vec<InstanceRef> = there
        .instances
        .into_iter()
        .filter(|info| is_elsewhere(&info.uuid))
        .map(|info| InstanceRef { name: info.name, uuid: info.uuid, hypervisor: info.hypervisor })
        .collect();
    if stale.is_empty() {
        return Ok(Vec::new());
    }
    Ok(handle.lease(LeaseRequest { stale, ..LeaseRequest::default() }).await?.ended)
}

/// What should run, and does so no more; the most important first. What the node did not guard is left when only its lease is over.
fn candidates(config: &Config, node: &Node, row: &Row, fence: Fence) -> Vec<Arc<Instance>> {
    let certain = |instance: &Instance| fence == Fence::Power || row.guarded.contains(instance.uuid.as_str());
    let mut all: Vec<Arc<Instance>> = config
        .primary_instances(&node.uuid)
        .filter(|instance| instance.admin_state == AdminState::Up && auto_failover::is_on(config, instance) && certain(instance))
        .cloned()
        .collect();
    all.sort_by_key(|instance| (Reverse(auto_failover::priority(instance)), instance.name.clone()));
    all
}

/// Whether a job that has not ended yet does that, whoever wanted it.
fn is_pending(master: &Master, does: impl Fn(&Op) -> bool) -> bool {
    let unfinished = |entry: &Entry| match entry {
        Entry::Whole(cell) => cell.read(|row| !row.job.status().is_final() && row.job.ops.iter().any(|op| does(&op.input.op))),
        Entry::Brief(_) => false,
    };
    master.queue().all().iter().any(|(_, entry)| unfinished(entry))
}

fn is_offline_of(op: &Op, node: &Node) -> bool {
    matches!(op, Op::NodeSetParams(op) if op.offline == Some(true) && op.node_name == node.name.as_str())
}

fn moves(op: &Op, instance: &Instance) -> bool {
    let name = instance.name.as_str();
    match op {
        Op::InstanceFailover(op) => op.instance_name == name,
        Op::InstanceMigrate(op) => op.instance_name == name,
        Op::InstanceMove(op) => op.instance_name == name,
        Op::InstanceRemove(op) => op.instance_name == name,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use gannet_core::config::{Disk, Object};

    use super::*;
    use crate::rule::sample;

    fn config(settings: &[(&[&str], &str)]) -> Config {
        let mut config = sample::config();
        for (n, (tags, state)) in (1..).zip(settings) {
            config.put(Object::Disk(Arc::new(Disk { dev_type: "sharedfile".to_owned(), ..sample::disk(n, 1) })));
            let admin_state = if *state == "up" { AdminState::Up } else { AdminState::Down };
            let tags = tags.iter().map(|tag| format!("gannet:auto-failover:{tag}").parse().unwrap()).collect();
            config.put(Object::Instance(Arc::new(Instance { tags, admin_state, ..sample::instance(n, 1) })));
        }
        config
    }

    fn names(config: &Config, guarded: &[u32], fence: Fence) -> Vec<String> {
        let guarded: BTreeSet<String> = guarded.iter().map(|n| sample::instance(*n, 1).uuid.to_string()).collect();
        let row = Row { guarded, ..Row::default() };
        candidates(config, &sample::node(1), &row, fence)
            .iter()
            .map(|instance| instance.name.to_string().replace(".example.com", ""))
            .collect()
    }

    #[test]
    fn the_most_important_come_first_and_others_are_left() {
        let config = config(&[
            (&["yes"], "up"),
            (&["yes", "priority:90"], "up"),
            (&["yes", "priority:90"], "down"),
            (&["no"], "up"),
            (&["yes", "priority:10"], "up"),
        ]);
        assert_eq!(names(&config, &[1, 2, 3, 4, 5], Fence::Lease), ["web2", "web1", "web5"]);
        assert_eq!(names(&config, &[5], Fence::Lease), ["web5"], "what was not guarded may run still");
        assert_eq!(names(&config, &[], Fence::Power), ["web2", "web1", "web5"], "nothing runs without power");
    }

    #[test]
    fn jobs_are_known_again() {
        let instance = sample::instance(1, 1);
        let failover: Op = InstanceFailover::new(instance.name.as_str()).into();
        assert!(moves(&failover, &instance) && !moves(&failover, &sample::instance(2, 1)));
        let offline: Op = NodeSetParams { offline: Some(true), ..NodeSetParams::new("node1.example.com") }.into();
        assert!(is_offline_of(&offline, &sample::node(1)) && !is_offline_of(&offline, &sample::node(2)));
    }
}

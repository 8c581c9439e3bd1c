//! Node death: renews the leases of nodes, finds out that a node is dead, and starts its instances elsewhere.
//!
//! ```text
//!   answers ──> silent ──> fenced (power off, or its lease is over) ──> dead: a row of the store
//!                  └─ not fenced: told, nothing else          │
//!                                                             ├─ a job marks the node offline
//!                                                             ├─ jobs fail its instances over, the most important first
//!                                                             └─ it comes back: what runs elsewhere by now is ended there
//! ```
//!
//! Everything but the row is done by ordinary jobs, found in the queue again by the next master, or submitted again: this looks
//! at all of the state in each round and needs to remember nothing. It does nothing at all while no object of the configuration
//! switches automatic failover on (`gannet_core::auto_failover`).

mod board;
mod judge;
mod ledger;
mod power;
mod recover;
mod row;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use gannet_core::auto_failover::{self, Times};
use gannet_core::config::{Config, Node};
use gannet_core::id::NodeUuid;
use gannet_core::lease::RENEW_EVERY;
use gannet_proto::node::{LeaseReply, LeaseRequest};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub(crate) use self::board::Board;
use self::judge::{Power, Verdict, View, judge};
use self::ledger::Ledger;
use self::recover::Recovery;
use self::row::{Death, Row};
use self::wanted::Wanted;
use crate::master::Master;
use crate::node::NodeError;
use crate::store::{State, Transaction};

/// Between two rounds.
const TICK: Duration = Duration::from_millis(250);
/// A node without a lease is asked again so soon: it needs two questions to get one.
const HURRY: Duration = Duration::from_millis(200);
/// A node that did not answer.
const RETRY: Duration = Duration::from_secs(1);
/// The out-of-band program is tried again after a failure.
const POWER_AGAIN: Duration = Duration::from_secs(60);

/// Watches until `stopping` is set.
pub(crate) async fn serve(master: Arc<Master>, mut stopping: watch::Receiver<bool>) {
    let mut watcher = Watcher::new(master);
    loop {
        tokio::select! {
            () = watcher.round() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

/// What came of a task.
enum Done {
    Lease(NodeUuid, Result<LeaseReply, NodeError>),
    Power(NodeUuid, Result<(), String>),
    Swept(NodeUuid, Result<Vec<String>, NodeError>),
}

/// One node that is watched.
struct Watched {
    ledger: Ledger,
    power: Power,
    /// Since when [`Self::power`] is so.
    power_since: Duration,
    /// A call is under way.
    calling: bool,
    /// When the next one is due.
    due: Duration,
    /// What the log was told last.
    told: String,
}

struct Watcher {
    master: Arc<Master>,
    began: Instant,
    /// This master is their only writer.
    rows: BTreeMap<NodeUuid, Row>,
    /// Rows that are not in the store as they are here. A death that could not be written yet stays one: nothing is granted after it.
    unwritten: BTreeSet<NodeUuid>,
    /// In an order, so that a simulation replays.
    nodes: BTreeMap<NodeUuid, Watched>,
    wanted: Wanted,
    tasks: JoinSet<Done>,
    recovery: Recovery,
    /// The store's trouble was told.
    complained: bool,
}

impl Watcher {
    fn new(master: Arc<Master>) -> Self {
        let rows = row::all(&master.store().state());
        Self {
            master,
            began: Instant::now(),
            rows,
            unwritten: BTreeSet::new(),
            nodes: BTreeMap::new(),
            wanted: Wanted::default(),
            tasks: JoinSet::new(),
            recovery: Recovery::default(),
            complained: false,
        }
    }

    /// On the clock of the ledgers.
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn round(&mut self) {
        self.hear().await;
        let state = self.master.store().state();
        self.wanted.follow(&state, self.now());
        if !self.wanted.is_used() && self.rows.is_empty() {
            self.nodes.clear();
            self.master.deaths().set(BTreeMap::new());
            return;
        }
        let times = auto_failover::times(&state.config.cluster().tags);
        self.choose(&state.config, times);
        self.renew(&state, times).await;
        self.note(&state.config, times);
        self.judge_all(&state.config, times);
        self.recover(&state).await;
        self.write().await;
        self.tell(&state.config);
    }

    /// Takes what tasks have brought until the next tick.
    async fn hear(&mut self) {
        let until = Instant::now() + TICK;
        loop {
            let done = tokio::select! {
                biased;
                () = tokio::time::sleep_until(until) => return,
                Some(done) = self.tasks.join_next(), if !self.tasks.is_empty() => done,
            };
            match done {
                Ok(done) => self.take(done),
                Err(error) => {
                    tracing::error!(%error, "a task of the watch of nodes failed");
                    self.nodes.values_mut().for_each(|node| node.calling = false);
                }
            }
        }
    }

    fn take(&mut self, done: Done) {
        let now = self.now();
        match done {
            Done::Lease(uuid, answer) => {
                let Some(node) = self.nodes.get_mut(&uuid) else { return };
                node.calling = false;
                match answer {
                    Ok(reply) => {
                        node.ledger.heard(now, reply);
                        let is_new = !node.ledger.has_lease && node.ledger.trouble.is_empty();
                        node.due = now + if is_new { HURRY } else { RENEW_EVERY };
                    }
                    Err(error) => {
                        tracing::debug!(%error, "no renewal");
                        node.due = now + RETRY;
                    }
                }
            }
            Done::Power(uuid, outcome) => {
                let Some(node) = self.nodes.get_mut(&uuid) else { return };
                node.power_since = now;
                node.power = match outcome {
                    Ok(()) => Power::Off,
                    Err(error) => {
                        tracing::warn!(node = %uuid, error, "the power of a silent node could not be switched off");
                        Power::Failed(error)
                    }
                };
            }
            Done::Swept(uuid, outcome) => self.swept(&uuid, outcome),
        }
    }

    /// Who is watched: nodes that can have guests, as long as anything switches automatic failover on; afterwards those that still
    /// guard some.
    fn choose(&mut self, config: &Config, times: Times) {
        let now = self.now();
        let is_meant = |node: &Node, row: Option<&Row>| {
            let dead = row.is_some_and(|row| row.dead.is_some());
            dead || (!node.offline && node.vm_capable && (self.wanted.is_used() || row.is_some()))
        };
        let meant: Vec<&Arc<Node>> = config.nodes().filter(|node| is_meant(node, self.rows.get(&node.uuid))).collect();
        self.nodes.retain(|uuid, _| meant.iter().any(|node| node.uuid == *uuid));
        for node in meant {
            let longest = self.rows.get(&node.uuid).map_or(Duration::ZERO, Row::lease).max(times.lease);
            self.nodes.entry(node.uuid.clone()).or_insert_with(|| Watched {
                ledger: Ledger::new(now, longest),
                power: Power::On,
                power_since: now,
                calling: false,
                due: now,
                told: String::new(),
            });
        }
    }

    /// Asks all nodes that are due. The proof that this master leads is begun after their stamps were had, and is there before a
    /// grant leaves.
    async fn renew(&mut self, state: &State, times: Times) {
        let now = self.now();
        let is_alive = |uuid: &NodeUuid| self.rows.get(uuid).is_none_or(|row| row.dead.is_none());
        let due = self.nodes.iter().filter(|(uuid, node)| !node.calling && node.due <= now && is_alive(uuid));
        let due: Vec<NodeUuid> = due.map(|(uuid, _)| uuid.clone()).collect();
        if due.is_empty() {
            return;
        }
        for uuid in &due {
            let row = self.rows.entry(uuid.clone()).or_default();
            if row.lease() < times.lease {
                row.lease_s = times.lease.as_secs();
                self.unwritten.insert(uuid.clone());
            }
        }
        // The store knows how long a lease may be before the first one of that length is granted.
        let written = self.write().await;
        let proof_began = self.now();
        let proven = match self.master.store().client().read_index().await {
            Ok(_) => {
                self.complained = false;
                true
            }
            Err(error) => {
                self.complain("no lease is renewed: this master cannot prove that it leads", &error);
                false
            }
        };
        for uuid in due {
            let Some(handle) = state.config.node(&uuid).and_then(|node| self.master.nodes().handle(node).ok()) else { continue };
            let Some(node) = self.nodes.get_mut(&uuid) else { continue };
            let row = self.rows.get(&uuid).cloned().unwrap_or_default();
            let stamp = if proven && written { node.ledger.grant(proof_began, times.lease, row.lease()) } else { None };
            let release = node.ledger.guarded.iter().flatten().filter(|guest| !self.wanted.has(guest) && !row.guarded.contains(*guest));
            let request = LeaseRequest {
                lease_ms: u32::try_from(times.lease.as_millis()).unwrap_or(u32::MAX),
                guard: if stamp.is_some() { self.wanted.on(&uuid).cloned().collect() } else { Vec::new() },
                release: release.cloned().collect(),
                stale: Vec::new(),
                stamp,
            };
            node.calling = true;
            self.tasks.spawn(async move { Done::Lease(uuid, handle.lease(request).await) });
        }
    }

    /// Keeps the rows as the nodes say: what a node guards, and how long its leases are. A row of a dead node stays as it was.
    fn note(&mut self, config: &Config, times: Times) {
        let now = self.now();
        let is_used = self.wanted.is_used();
        let mut gone = Vec::new();
        for (uuid, row) in self.rows.iter_mut().filter(|(_, row)| row.dead.is_none()) {
            let Some(node) = self.nodes.get(uuid) else {
                // Removed; or marked offline by an operator, and its last lease may go on.
                if config.node(uuid).is_none() {
                    gone.push(uuid.clone());
                } else if !row.guarded.is_empty() {
                    row.guarded.clear();
                    self.unwritten.insert(uuid.clone());
                }
                continue;
            };
            // What it has promised to an earlier master is good until it has told this one.
            let guarded: BTreeSet<String> = match &node.ledger.guarded {
                Some(promised) => self.wanted.on(uuid).map(|guest| guest.uuid.clone()).filter(|guest| promised.contains(guest)).collect(),
                None => row.guarded.clone(),
            };
            let lease_s = times.lease.as_secs();
            let shorter = lease_s < row.lease_s && node.ledger.may_shorten(now);
            if row.guarded != guarded || shorter {
                row.guarded = guarded;
                row.lease_s = if shorter { lease_s } else { row.lease_s };
                self.unwritten.insert(uuid.clone());
            }
            if !is_used && node.ledger.guarded.as_ref().is_some_and(BTreeSet::is_empty) && node.ledger.is_over(now) {
                gone.push(uuid.clone());
            }
        }
        for uuid in gone {
            self.rows.remove(&uuid);
            self.unwritten.insert(uuid);
        }
    }

    fn judge_all(&mut self, config: &Config, times: Times) {
        let now = self.now();
        let uuids: Vec<NodeUuid> = self.nodes.keys().cloned().collect();
        for uuid in uuids {
            let (Some(config_node), Some(node)) = (config.node(&uuid), self.nodes.get_mut(&uuid)) else { continue };
            let Some(row) = self.rows.get_mut(&uuid).filter(|row| row.dead.is_none()) else { continue };
            let program = power::program(config, config_node);
            let silent = node.ledger.silent_for(now);
            if silent < times.dead_after && node.power != Power::On && node.power != Power::Asked {
                node.power = Power::On;
            }
            if matches!(node.power, Power::Failed(_)) && now.saturating_sub(node.power_since) >= POWER_AGAIN {
                node.power = Power::On;
            }
            let view = View {
                silent,
                times,
                hosts: self.wanted.runs(&uuid),
                guards: !row.guarded.is_empty(),
                over_in: node.ledger.over_in(now),
                power: if program.is_empty() { Power::None } else { node.power.clone() },
            };
            let name = &config_node.name;
            match judge(&view) {
                Verdict::Fine => node.told.clear(),
                Verdict::Wait => {
                    let power = if let Power::Failed(error) = &node.power {
                        format!(" (its power could not be switched off: {error})")
                    } else {
                        String::new()
                    };
                    let left = node.ledger.over_in(now).as_secs() + 1;
                    node.told =
                        format!("it does not answer; its instances are started elsewhere when its lease is over, in {left} s{power}");
                }
                Verdict::SwitchOff => {
                    tracing::warn!(node = %name, silent_s = silent.as_secs(), "the node does not answer: its power is switched off");
                    (node.power, node.power_since) = (Power::Asked, now);
                    let (master, name) = (self.master.clone(), name.to_string());
                    self.tasks.spawn(async move { Done::Power(uuid, power::off(&master, &program, &name).await) });
                }
                Verdict::Dead(fence) => {
                    tracing::error!(node = %name, silent_s = silent.as_secs(), "the node is dead: it does not answer, and {fence}");
                    row.dead = Some(Death { fence, offline: false });
                    self.unwritten.insert(uuid);
                }
                Verdict::Unfenced(why) => {
                    let text = format!(
                        "it has not answered for {} s and may be dead, but this is not certain: {why}; its instances are not started \
                         elsewhere. If it is dead for certain, `gnt-node modify --offline=yes {name}` and `gnt-node failover {name}`",
                        times.dead_after.as_secs()
                    );
                    if node.told != text {
                        tracing::error!(node = %name, "{text}");
                        node.told = text;
                    }
                }
            }
        }
    }

    /// Writes what has changed; whether the store has it all.
    async fn write(&mut self) -> bool {
        if self.unwritten.is_empty() {
            return true;
        }
        let raw = self.unwritten.iter().map(|uuid| row::write(uuid, self.rows.get(uuid))).collect();
        match self.master.store().commit(Transaction { raw, ..Transaction::default() }).await {
            Ok(_) => {
                self.unwritten.clear();
                true
            }
            Err(error) => {
                self.complain("the state of leases could not be written; trying again", &error);
                false
            }
        }
    }

    /// Once, until it goes on.
    fn complain(&mut self, what: &str, error: &dyn std::error::Error) {
        if !self.complained {
            tracing::warn!(%error, "{what}");
            self.complained = true;
        }
    }

    /// What an operator should know.
    fn tell(&self, config: &Config) {
        let mut complaints = BTreeMap::new();
        for (uuid, node) in &self.nodes {
            let Some(config_node) = config.node(uuid) else { continue };
            let text = match self.rows.get(uuid).and_then(|row| row.dead) {
                Some(death) => self.recovery.story(config_node, death),
                None if !node.told.is_empty() => node.told.clone(),
                None if !node.ledger.trouble.is_empty() => {
                    format!("instances with automatic failover cannot run there: {}", node.ledger.trouble)
                }
                None => continue,
            };
            complaints.insert(config_node.name.to_string(), text);
        }
        self.master.deaths().set(complaints);
    }
}

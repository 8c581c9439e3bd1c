//! A member of the group.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openraft::error::{CheckIsLeaderError, ClientWriteError, ForwardToLeader};
use openraft::{ChangeMembers, Config, RaftMetrics, SnapshotPolicy};
use tokio::sync::watch;

use super::generation::Generation;
use super::log_storage::LogStorage;
use super::network::{Network, Transport};
use super::outside::Answer;
use super::state_machine::StateMachine;
use super::types::{Batch, NodeId, Peer, Raft, RaftError};
use super::{Consensus, View, election, role, transfer};
use crate::command::{Command, Outcome};
use crate::error::Error;
use crate::status::{Member, NO_MAJORITY, Role};
use crate::store::log::Log;
use crate::store::state::State;

/// A leader shows itself this often. The time to notice a dead one, and so the
/// time without a master, is a few times this.
const HEARTBEAT: Duration = Duration::from_millis(250);
/// A member that has not seen a leader for this long (random between the two)
/// asks for votes. Well above the fdatasync of a busy disk. Votes are refused for the longer time after a sign of life, and
/// the shorter one comes on top of it.
pub(super) const ELECTION: (Duration, Duration) = (Duration::from_millis(800), Duration::from_millis(1500));
/// Entries between snapshots; each is a sync of the state, and lets the log
/// be shortened.
const SNAPSHOT_ENTRIES: u64 = 5000;
/// Entries kept for followers that are a little behind.
const KEPT_ENTRIES: u64 = 500;
/// Bytes of entries that cause a snapshot before there are that many.
const LOG_BYTES: usize = 32 << 20;

/// What a member needs.
pub(crate) struct NodeOptions<'a> {
    pub(crate) id: NodeId,
    pub(crate) dir: &'a Path,
    pub(crate) transport: Transport,
}

/// A running member.
#[derive(Clone)]
pub(crate) struct Node {
    id: NodeId,
    raft: Raft,
    log: Log,
    state: State,
    role: watch::Receiver<Role>,
    yields: watch::Sender<bool>,
    connections: Network,
    generation: Generation,
}

impl Node {
    /// Opens the stores and starts Raft.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the stores cannot be opened.
    pub(crate) async fn start(options: NodeOptions<'_>) -> Result<Self, Error> {
        remove_leftovers(options.dir);
        let failed = |error: crate::store::Error| Error::unavailable(crate::error_chain(&error));
        let log = Log::open(options.dir).map_err(failed)?;
        let state = State::open(options.dir).map_err(failed)?;
        let machine = StateMachine { state: state.clone(), dir: options.dir.to_owned() };
        let generation = Generation::load(options.dir)?;
        let connections = Network::new(options.transport, Some(generation.clone()));
        let raft = Raft::new(options.id, Arc::new(config()?), connections.clone(), LogStorage(log.clone()), machine);
        let raft = raft.await.map_err(Error::unavailable)?;
        let yields = transfer::channel();
        let role = role::watch(&raft, yields.subscribe());
        tokio::spawn(compact(raft.clone(), log.clone()));
        tokio::spawn(election::unstick(options.id, raft.clone()));
        Ok(Self { id: options.id, raft, log, state, role, yields, connections, generation })
    }

    pub(super) fn raft(&self) -> &Raft {
        &self.raft
    }

    /// To which group this member belongs.
    pub(crate) fn generation(&self) -> &Generation {
        &self.generation
    }

    /// What this member has.
    pub(super) fn answer(&self) -> Answer {
        let last = self.log.ends().1.map_or((0, 0), |at| (at.term, at.index));
        Answer { term: self.raft.metrics().borrow().current_term, last }
    }

    pub(super) fn role_now(&self) -> watch::Receiver<Role> {
        self.role.clone()
    }

    pub(super) fn known_members(&self) -> Vec<Member> {
        self.members()
    }

    pub(super) fn yields(&self) -> &watch::Sender<bool> {
        &self.yields
    }

    /// Asks the leader to give up the lead.
    pub(super) async fn ask_to_step_aside(&self, leader: NodeId) -> Result<(), Error> {
        let peer = self.members().into_iter().find(|member| member.id == leader);
        let peer = peer.ok_or_else(|| Error::unavailable("the leader is not among the members"))?;
        let mut network = self.connections.clone();
        network.step_aside(leader, &Peer { name: peer.name, address: peer.address }).await
    }

    /// The applied state of this member.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Bytes on disk: log, state.
    pub(crate) fn file_bytes(&self) -> (u64, u64) {
        (self.log.file_bytes(), self.state.file_bytes())
    }

    /// Makes this the only member of a new group. Only for `bootstrap`.
    pub(crate) async fn initialize(&self, name: String, address: String) -> Result<(), Error> {
        let members = BTreeMap::from([(self.id, Peer { name, address })]);
        self.raft.initialize(members).await.map_err(Error::invalid)
    }

    async fn change(&self, change: ChangeMembers<NodeId, Peer>, retain: bool) -> Result<(), Error> {
        let done = self.raft.change_membership(change, retain).await;
        done.map(drop).map_err(|error| write_error(&error))
    }

    fn members(&self) -> Vec<Member> {
        role::members(&self.raft.metrics().borrow())
    }
}

#[tonic::async_trait]
impl Consensus for Node {
    fn writable(&self) -> Result<(), Error> {
        if *self.yields.borrow() {
            return Err(Error::unavailable("the lead goes to another master candidate at this moment"));
        }
        match silence(&self.raft.metrics().borrow()) {
            Some(silence) if silence > NO_MAJORITY => Err(Error::unavailable(format!(
                "no majority of the voting master candidates has answered for {} s: nothing can be written until enough of them are back",
                silence.as_secs()
            ))),
            _ => Ok(()),
        }
    }

    async fn propose(&self, commands: Arc<Vec<Command>>) -> Result<(u64, Vec<Outcome>), Error> {
        let written = self.raft.client_write(Batch(commands)).await;
        let written = written.map_err(|error| write_error(&error))?;
        Ok((written.log_id.index, written.data.0))
    }

    async fn read_index(&self) -> Result<u64, Error> {
        let index = self.raft.ensure_linearizable().await;
        let index = index.map_err(|error| match error {
            RaftError::APIError(CheckIsLeaderError::ForwardToLeader(to)) => not_leader(&to),
            other => Error::unavailable(other),
        })?;
        Ok(index.map_or(0, |id| id.index))
    }

    fn role(&self) -> watch::Receiver<Role> {
        self.role.clone()
    }

    fn view(&self) -> View {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        View {
            last_log: metrics.last_log_index.unwrap_or(0),
            applied: metrics.last_applied.map_or(0, |id| id.index),
            snapshot: metrics.snapshot.map_or(0, |id| id.index),
            members: role::members(&metrics),
            silence: silence(&metrics),
        }
    }

    async fn add_member(&self, member: Member) -> Result<Vec<Member>, Error> {
        let peer = Peer { name: member.name, address: member.address };
        let known = self.members();
        let was = known.iter().find(|m| m.id == member.id);
        if was.is_some_and(|m| (&m.name, &m.address) != (&peer.name, &peer.address)) {
            let id = member.id;
            return Err(Error::invalid(format!("member {id} exists with another name or address: remove it first")));
        }
        let added = self.raft.add_learner(member.id, peer, true).await;
        added.map_err(|error| write_error(&error))?;
        let one = BTreeSet::from([member.id]);
        match (was.is_some_and(|m| m.voter), member.voter) {
            (false, true) => self.change(ChangeMembers::AddVoterIds(one), true).await?,
            (true, false) => self.change(ChangeMembers::RemoveVoters(one), true).await?,
            (true, true) | (false, false) => {}
        }
        Ok(self.members())
    }

    async fn remove_member(&self, id: u64) -> Result<Vec<Member>, Error> {
        let known = self.members();
        let one = BTreeSet::from([id]);
        match known.iter().find(|member| member.id == id) {
            None => {}
            Some(member) if member.voter => {
                if known.iter().filter(|member| member.voter).count() == 1 {
                    return Err(Error::invalid("the last voter cannot be removed"));
                }
                // Without `retain` it does not stay as a learner.
                self.change(ChangeMembers::RemoveVoters(one), false).await?;
            }
            Some(_) => self.change(ChangeMembers::RemoveNodes(one), false).await?,
        }
        Ok(self.members())
    }

    async fn shutdown(&self) {
        if let Err(error) = self.raft.shutdown().await {
            tracing::warn!(%error, "Raft did not stop cleanly");
        }
    }
}

/// How long no majority has answered; a leader that votes alone waits for nobody.
fn silence(metrics: &RaftMetrics<NodeId, Peer>) -> Option<Duration> {
    let alone = metrics.membership_config.membership().voter_ids().count() < 2;
    metrics.millis_since_quorum_ack.filter(|_| !alone).map(Duration::from_millis)
}

fn config() -> Result<Config, Error> {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let config = Config {
        cluster_name: "gannet".to_owned(),
        heartbeat_interval: millis(HEARTBEAT),
        election_timeout_min: millis(ELECTION.0),
        election_timeout_max: millis(ELECTION.1),
        snapshot_policy: SnapshotPolicy::LogsSinceLast(SNAPSHOT_ENTRIES),
        max_in_snapshot_log_to_keep: KEPT_ENTRIES,
        // Entries are batches; the reader limits them by bytes, too.
        max_payload_entries: 64,
        purge_batch_size: 256,
        install_snapshot_timeout: 60_000,
        ..Config::default()
    };
    config.validate().map_err(Error::invalid)
}

/// Snapshots that were on their way when the process died.
fn remove_leftovers(dir: &Path) {
    let Ok(files) = std::fs::read_dir(dir) else {
        return;
    };
    for file in files.flatten() {
        if file.file_name().to_string_lossy().starts_with("snapshot.") {
            let _ = std::fs::remove_file(file.path());
        }
    }
}

/// Shortens a log of few but large entries; the library counts entries only.
async fn compact(raft: Raft, log: Log) {
    const EVERY: Duration = Duration::from_secs(1);
    let metrics = raft.metrics();
    while metrics.borrow().running_state.is_ok() {
        tokio::time::sleep(EVERY).await;
        if log.entry_bytes() < LOG_BYTES {
            continue;
        }
        let (snapshot, applied) = {
            let now = metrics.borrow();
            (now.snapshot.map(|id| id.index), now.last_applied.map(|id| id.index))
        };
        let result = match snapshot {
            Some(index) if applied.is_some_and(|applied| applied < index + KEPT_ENTRIES) => raft.trigger().purge_log(index).await,
            Some(_) | None => raft.trigger().snapshot().await,
        };
        if result.is_err() {
            return;
        }
    }
}

fn write_error(error: &RaftError<ClientWriteError<NodeId, Peer>>) -> Error {
    match error {
        RaftError::APIError(ClientWriteError::ForwardToLeader(to)) => not_leader(to),
        RaftError::APIError(ClientWriteError::ChangeMembershipError(error)) => Error::invalid(error),
        RaftError::Fatal(error) => Error::unavailable(format!("confd has stopped and must be restarted: {error}")),
    }
}

fn not_leader(to: &ForwardToLeader<NodeId, Peer>) -> Error {
    Error::NotLeader { leader: to.leader_id }
}

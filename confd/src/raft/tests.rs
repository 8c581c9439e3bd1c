//! The library's own suite for stores, and a group of members on loopback.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openraft::testing::{StoreBuilder, Suite};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;

use super::log_storage::LogStorage;
use super::state_machine::StateMachine;
use super::types::{StorageError, Types};
use super::{Consensus, Node, NodeOptions, Transport, service};
use crate::command::{Command, Key, Outcome};
use crate::error::Error;
use crate::status::{Member, RoleKind};
use crate::store::log::Log;
use crate::store::state::State;

struct Builder;

impl StoreBuilder<Types, LogStorage, StateMachine, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, LogStorage, StateMachine), StorageError> {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::open(dir.path()).unwrap();
        let machine = StateMachine { state: State::open(dir.path()).unwrap(), dir: dir.path().to_owned() };
        Ok((dir, LogStorage(log), machine))
    }
}

#[test]
fn the_librarys_suite_for_stores() {
    Suite::test_all(Builder).unwrap();
}

/// A member that listens on a port of loopback.
struct Running {
    node: Node,
    address: String,
    listener: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Running {
    async fn start(dir: &Path, id: u64, port: u16) -> Self {
        let options = NodeOptions { id, dir, transport: Transport::Plain };
        let node = Node::start(options).await.unwrap();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = tonic::transport::Server::builder().add_service(service(&node)).serve_with_incoming(TcpListenerStream::new(listener));
        let listener = tokio::spawn(serving);
        Self { node, address, listener }
    }

    fn member(&self, id: u64, voter: bool) -> Member {
        Member { id, name: format!("node{id}"), address: self.address.clone(), voter, lag: None, term: None }
    }

    async fn put(&self, id: &str) -> Result<u64, Error> {
        let epoch = self.node.role().borrow().term;
        let command = Command::new(epoch).put(Key::new("job", id), format!("\"{id}\""));
        let (index, outcomes) = self.node.propose(Arc::new(vec![command])).await?;
        assert!(matches!(outcomes[..], [Outcome::Applied { .. }]), "{outcomes:?}");
        Ok(index)
    }

    async fn wait_for_role(&self, wanted: impl Fn(&crate::Role) -> bool) {
        let mut roles = self.node.role();
        let found = tokio::time::timeout(Duration::from_secs(60), roles.wait_for(wanted));
        found.await.expect("the role comes within a minute").unwrap();
    }

    async fn stop(self) {
        self.listener.abort();
        let _ = self.listener.await;
        self.node.shutdown().await;
    }

    async fn has(&self, id: &str) {
        let key = Key::new("job", id);
        let found = async {
            while self.node.state().get(&key).unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(60), found).await;
        assert!(found.is_ok(), "{key} does not arrive: {:?}", self.node.view());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_members_lose_their_leader_and_nothing_else() {
    let dirs: Vec<TempDir> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let one = Running::start(dirs[0].path(), 1, 0).await;
    let address = one.address.clone();
    one.node.initialize("node1".to_owned(), address).await.unwrap();
    one.wait_for_role(crate::Role::is_leader).await;
    for job in 0..20 {
        one.put(&format!("early{job}")).await.unwrap();
    }

    let two = Running::start(dirs[1].path(), 2, 0).await;
    let three = Running::start(dirs[2].path(), 3, 0).await;
    let learners = one.node.add_member(two.member(2, false)).await.unwrap();
    assert!(learners.iter().any(|member| member.id == 2 && !member.voter));
    two.wait_for_role(|role| role.kind == RoleKind::Learner).await;
    one.node.add_member(two.member(2, true)).await.unwrap();
    let members = one.node.add_member(three.member(3, true)).await.unwrap();
    assert_eq!(members.iter().filter(|member| member.voter).count(), 3);
    // Repeating a change is harmless.
    assert_eq!(one.node.add_member(three.member(3, true)).await.unwrap().len(), 3);

    let refused = two.put("x").await;
    assert!(matches!(refused, Err(Error::NotLeader { leader: Some(1) })), "{refused:?}");
    for job in 0..20 {
        one.put(&format!("late{job}")).await.unwrap();
    }
    let old_epoch = one.node.role().borrow().term;
    one.stop().await;

    let (next, other) = tokio::select! {
        () = two.wait_for_role(crate::Role::is_leader) => (&two, &three),
        () = three.wait_for_role(crate::Role::is_leader) => (&three, &two),
    };
    next.node.read_index().await.unwrap();
    for job in 0..20 {
        next.has(&format!("early{job}")).await;
        next.has(&format!("late{job}")).await;
    }
    // The old master's epoch is over, wherever its command arrives.
    let stale = Command::new(old_epoch).put(Key::new("job", "stale"), "1");
    let (_, outcomes) = next.node.propose(Arc::new(vec![stale])).await.unwrap();
    assert!(matches!(outcomes[..], [Outcome::Deposed { .. }]), "{outcomes:?}");
    next.put("after").await.unwrap();
    other.has("after").await;

    // The dead one goes, and the group is two.
    let members = next.node.remove_member(1).await.unwrap();
    assert_eq!(members.iter().map(|member| member.id).collect::<Vec<_>>(), [2, 3]);
    two.stop().await;
    three.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_joins_late_gets_a_snapshot() {
    let dirs: Vec<TempDir> = (0..2).map(|_| tempfile::tempdir().unwrap()).collect();
    let one = Running::start(dirs[0].path(), 1, 0).await;
    let address = one.address.clone();
    one.node.initialize("node1".to_owned(), address).await.unwrap();
    one.wait_for_role(crate::Role::is_leader).await;
    let mut last = 0;
    for job in 0..50 {
        last = one.put(&format!("early{job}")).await.unwrap();
    }
    // Nothing of the log is left to send.
    one.node.raft().trigger().snapshot().await.unwrap();
    let metrics = one.node.raft().wait(Some(Duration::from_secs(30)));
    metrics.metrics(|m| m.snapshot.is_some_and(|at| at.index >= last), "snapshot").await.unwrap();
    one.node.raft().trigger().purge_log(last).await.unwrap();
    let metrics = one.node.raft().wait(Some(Duration::from_secs(30)));
    metrics.metrics(|m| m.purged.is_some_and(|at| at.index >= last), "purge").await.unwrap();

    let two = Running::start(dirs[1].path(), 2, 0).await;
    one.node.add_member(two.member(2, true)).await.unwrap();
    one.put("late").await.unwrap();
    two.has("early0").await;
    two.has("early49").await;
    two.has("late").await;
    assert!(two.node.view().snapshot >= last);
    two.stop().await;
    one.stop().await;
}

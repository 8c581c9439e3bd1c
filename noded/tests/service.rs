//! Who may call an agent, and whole calls through the network with the fake hypervisor.

mod common;

use std::time::{Duration, Instant};

use common::{Agent, Authority, with_epoch};
use gannet_noded::ticket::Purpose;
use gannet_proto::TICKET_KEY;
use gannet_proto::node::node_client::NodeClient;
use gannet_proto::node::peer_client::PeerClient;
use gannet_proto::node::{
    Bytes, ConsoleChunk, DiskChunk, HelloRequest, Instance, InstanceListRequest, InstanceRef, InstanceShutdownRequest,
    InstanceStartRequest, InstanceState, MigrationPrepareRequest, MigrationRunRequest, MigrationSettleRequest, TestDelayRequest,
};
use tokio_stream::StreamExt;
use tonic::{Code, Request};

fn guest() -> Instance {
    Instance {
        name: "web1.example.com".to_owned(),
        uuid: "5f3e1a52-0b5c-4c3e-9d55-0123456789ab".to_owned(),
        hypervisor: "fake".to_owned(),
        max_memory_mib: 128,
        min_memory_mib: 64,
        vcpus: 1,
        ..Instance::default()
    }
}

fn reference() -> InstanceRef {
    InstanceRef { name: guest().name, uuid: guest().uuid, hypervisor: guest().hypervisor }
}

fn list() -> InstanceListRequest {
    InstanceListRequest { hypervisors: vec!["fake".to_owned()] }
}

#[tokio::test]
async fn only_the_masters_certificate_may_command() {
    let authority = Authority::new();
    let agent = Agent::start(&authority, "node1").await;
    let node2 = authority.issue("node2", &["node2", "gannet-master"]);
    let mut as_node = NodeClient::new(agent.connect(&authority, Some(&node2)).await.expect("a node of the cluster connects"));
    let refused = as_node.hello(with_epoch(HelloRequest {}, 1)).await.expect_err("not the master");
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    assert_eq!(agent.context.epoch.highest(), 0, "a stranger's epoch must not count");
    let mut master = agent.master(&authority).await;
    let hello = master.hello(with_epoch(HelloRequest {}, 1)).await.expect("hello").into_inner();
    assert_eq!((hello.node_name.as_str(), hello.highest_epoch), ("node1", 1));
}

#[tokio::test]
async fn strangers_do_not_get_through_the_handshake() {
    let authority = Authority::new();
    let agent = Agent::start(&authority, "node1").await;
    let foreign = Authority::new().issue("gannet-master", &["gannet-master"]);
    for identity in [Some(&foreign), None] {
        let answer = match agent.connect(&authority, identity).await {
            Ok(channel) => NodeClient::new(channel).hello(with_epoch(HelloRequest {}, 1)).await.err().map(|status| status.code()),
            Err(_) => Some(Code::Unavailable),
        };
        assert!(matches!(answer, Some(Code::Unavailable | Code::Unknown)), "{answer:?}");
    }
    assert_eq!(agent.context.epoch.highest(), 0);
}

/// Candidates that are not the master ask for what their queries show, whoever the master is, and do nothing else.
#[tokio::test]
async fn without_an_epoch_only_reads_are_answered() {
    let authority = Authority::new();
    let agent = Agent::start(&authority, "node1").await;
    let mut candidate = agent.master(&authority).await;
    for highest in [0, 7] {
        candidate.instance_list(with_epoch(list(), 0)).await.expect("a list");
        for refused in [
            candidate.hello(with_epoch(HelloRequest {}, 0)).await.expect_err("not for reading").code(),
            candidate.disk_remove(with_epoch(gannet_proto::node::DiskRef::default(), 0)).await.expect_err("a change").code(),
        ] {
            assert_eq!(refused, Code::FailedPrecondition);
        }
        assert_eq!(agent.context.epoch.highest(), highest);
        candidate.hello(with_epoch(HelloRequest {}, 7)).await.expect("the master");
    }
}

#[tokio::test]
async fn a_deposed_master_is_refused() {
    let authority = Authority::new();
    let agent = Agent::start(&authority, "node1").await;
    let mut master = agent.master(&authority).await;
    let without = master.hello(HelloRequest {}).await.expect_err("no epoch");
    assert_eq!(without.code(), Code::InvalidArgument);
    master.hello(with_epoch(HelloRequest {}, 7)).await.expect("the newer master");
    let refused = master.instance_list(with_epoch(list(), 6)).await.expect_err("the older master");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("epoch 6 is lower than 7"), "{refused}");
    let stored = std::fs::read_to_string(agent.context.paths.data_dir().join("gannet-epoch")).expect("stored");
    assert_eq!(stored.trim(), "7");
}

#[tokio::test]
async fn deadlines_are_kept() {
    let authority = Authority::new();
    let agent = Agent::start(&authority, "node1").await;
    let mut master = agent.master(&authority).await;
    let mut request = with_epoch(TestDelayRequest { duration_s: 60.0 }, 1);
    request.set_timeout(Duration::from_millis(200));
    let begin = Instant::now();
    let late = master.test_delay(request).await.expect_err("too late");
    assert!(matches!(late.code(), Code::DeadlineExceeded | Code::Cancelled), "{late}");
    assert!(begin.elapsed() < Duration::from_secs(30));
}

/// The code with which a tunnel is refused.
async fn tunnel(agent: &Agent, authority: &Authority, caller: &str, ticket: Option<&str>) -> Option<Code> {
    let identity = authority.issue(caller, &[caller]);
    let mut peer = PeerClient::new(agent.connect(authority, Some(&identity)).await.expect("a node of the cluster connects"));
    let mut request = Request::new(tokio_stream::iter(Vec::<Bytes>::new()));
    if let Some(ticket) = ticket {
        request.metadata_mut().insert(TICKET_KEY, ticket.parse().expect("ASCII"));
    }
    peer.tunnel(request).await.err().map(|status| status.code())
}

#[tokio::test]
async fn tickets_are_for_one_node_one_purpose_one_time() {
    let authority = Authority::new();
    let agent = Agent::start(&authority, "node1").await;
    let mint = || agent.context.tickets.mint(Purpose::Migration { instance: "web1".to_owned(), hypervisor: "fake".to_owned() }, "node2");
    assert_eq!(tunnel(&agent, &authority, "node2", None).await, Some(Code::PermissionDenied));
    assert_eq!(tunnel(&agent, &authority, "node2", Some("made-up")).await, Some(Code::PermissionDenied));
    let ticket = mint();
    assert_eq!(tunnel(&agent, &authority, "node3", Some(&ticket)).await, Some(Code::PermissionDenied));
    // for a disk it is no good
    let identity = authority.issue("node2", &["node2"]);
    let mut peer = PeerClient::new(agent.connect(&authority, Some(&identity)).await.expect("connect"));
    let mut request = Request::new(tokio_stream::iter(Vec::<DiskChunk>::new()));
    request.metadata_mut().insert(TICKET_KEY, ticket.parse().expect("ASCII"));
    assert_eq!(peer.disk_receive(request).await.expect_err("another purpose").code(), Code::PermissionDenied);
    // its owner may still use it, once
    assert_eq!(tunnel(&agent, &authority, "node2", Some(&ticket)).await, None);
    assert_eq!(tunnel(&agent, &authority, "node2", Some(&ticket)).await, Some(Code::PermissionDenied));
}

#[tokio::test]
async fn a_guest_starts_migrates_and_stops() {
    let authority = Authority::new();
    let (one, two) = (Agent::start(&authority, "node1").await, Agent::start(&authority, "node2").await);
    let (mut source, mut target) = (one.master(&authority).await, two.master(&authority).await);
    for again in [false, true] {
        let request = InstanceStartRequest { instance: Some(guest()), paused: false };
        let started = source.instance_start(with_epoch(request, 1)).await.expect("start").into_inner();
        assert_eq!(started.was_running, again);
    }
    let request = MigrationPrepareRequest { instance: Some(guest()), source_node: "node1".to_owned(), copy_storage: false };
    let prepared = target.migration_prepare(with_epoch(request, 1)).await.expect("prepare").into_inner();
    let request = MigrationRunRequest {
        instance: Some(guest()),
        target: Some(prepared.clone()),
        target_node: "node2".to_owned(),
        live: true,
        timeout_s: 60,
        ..MigrationRunRequest::default()
    };
    let mut progress = source.migration_run(with_epoch(request.clone(), 1)).await.expect("run").into_inner();
    let mut last = None;
    while let Some(message) = progress.next().await {
        last = Some(message.expect("progress"));
    }
    let last = last.expect("at least the end");
    assert!(last.finished && last.error.is_empty(), "{last:?}");
    // the ticket is used up: the same run again fails, and changes nothing
    let mut again = source.migration_run(with_epoch(request, 1)).await.expect("run").into_inner();
    let end = again.next().await.expect("an end").expect("a message");
    assert!(end.finished && !end.error.is_empty(), "{end:?}");
    let settle = || with_epoch(MigrationSettleRequest { instance: Some(reference()), drop_incoming: true, timeout_s: 10 }, 1);
    let there = target.migration_settle(settle()).await.expect("settle").into_inner();
    let here = source.migration_settle(settle()).await.expect("settle").into_inner();
    assert_eq!((here.state(), there.state()), (InstanceState::Stopped, InstanceState::Running));
    assert_eq!(source.instance_list(with_epoch(list(), 1)).await.expect("list").into_inner().instances.len(), 0);
    assert_eq!(target.instance_list(with_epoch(list(), 1)).await.expect("list").into_inner().instances.len(), 1);
    for again in [false, true] {
        let request = InstanceShutdownRequest { instance: Some(reference()), timeout_s: 5 };
        assert_eq!(target.instance_shutdown(with_epoch(request, 1)).await.expect("shutdown").into_inner().was_stopped, again);
    }
}

#[tokio::test]
async fn the_console_of_a_fake_guest_says_that_there_is_none() {
    let authority = Authority::new();
    let agent = Agent::start(&authority, "node1").await;
    let mut master = agent.master(&authority).await;
    let open = || {
        with_epoch(tokio_stream::iter([ConsoleChunk { instance: Some(reference()), data: Vec::new() }]).chain(tokio_stream::pending()), 1)
    };
    let missing = master.instance_console(open()).await.expect_err("it does not run");
    assert_eq!(missing.code(), Code::NotFound);
    let request = InstanceStartRequest { instance: Some(guest()), paused: false };
    master.instance_start(with_epoch(request, 1)).await.expect("start");
    let mut output = master.instance_console(open()).await.expect("console").into_inner();
    let mut text = Vec::new();
    while let Some(chunk) = output.next().await {
        text.extend(chunk.expect("a chunk").data);
    }
    assert!(String::from_utf8_lossy(&text).contains("Console not available for fake hypervisor"), "{text:?}");
}

#[tokio::test]
async fn an_unknown_hypervisor_is_named_and_does_not_spoil_the_list() {
    let authority = Authority::new();
    let agent = Agent::start(&authority, "node1").await;
    let mut master = agent.master(&authority).await;
    let request = InstanceListRequest { hypervisors: vec!["fake".to_owned(), "xen-pvm".to_owned()] };
    let reply = master.instance_list(with_epoch(request, 1)).await.expect("list").into_inner();
    assert!(reply.errors["xen-pvm"].contains("not supported yet by Gannet"), "{reply:?}");
    assert_eq!(reply.errors.len(), 1);
}

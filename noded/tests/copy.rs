//! A disk is copied between two agents: master's calls, ticket, mTLS between the nodes, and the digest.

mod common;

use std::fs;
use std::os::unix::fs::FileExt;

use common::{Agent, Authority, with_epoch};
use gannet_core::paths::Paths;
use gannet_proto::node::node_client::NodeClient;
use gannet_proto::node::{CopyProgress, DiskCreateRequest, DiskReceivePrepareReply, DiskReceivePrepareRequest, DiskRef, DiskSendRequest};
use tokio_stream::StreamExt;
use tonic::transport::Channel;

const EPOCH: u64 = 1;
const DIR: &str = "/srv/ganeti/file-storage";

fn allow(paths: &Paths) {
    fs::create_dir_all(paths.at(DIR)).expect("storage");
    fs::create_dir_all(paths.conf_dir()).expect("conf dir");
    fs::write(paths.file_storage_paths_file(), DIR).expect("allowed paths");
}

fn disk() -> DiskRef {
    DiskRef {
        uuid: "5c5f5e5a-0f0f-4a4a-8b8b-111111111111".into(),
        dev_type: "file".into(),
        logical_first: "loop".into(),
        logical_second: format!("{DIR}/web1/disk0"),
        size_mib: 32,
        ..DiskRef::default()
    }
}

async fn create(node: &mut NodeClient<Channel>) {
    let request = DiskCreateRequest { disk: Some(disk()), instance_name: "web1".into(), is_primary: true, exclusive: true };
    node.disk_create(with_epoch(request, EPOCH)).await.expect("a disk");
}

async fn send(source: &mut NodeClient<Channel>, target: DiskReceivePrepareReply) -> CopyProgress {
    let request = DiskSendRequest { disk: Some(disk()), target: Some(target), target_node: "node2".into(), timeout_s: 60 };
    let mut progress = source.disk_send(with_epoch(request, EPOCH)).await.expect("a copy").into_inner();
    let mut last = CopyProgress::default();
    while let Some(message) = progress.next().await {
        last = message.expect("progress");
    }
    last
}

#[tokio::test]
async fn a_disk_moves_to_another_node() {
    let authority = Authority::new();
    let (from, to) = (Agent::start(&authority, "node1").await, Agent::start(&authority, "node2").await);
    let (mut source, mut target) = (from.master(&authority).await, to.master(&authority).await);
    for (agent, node) in [(&from, &mut source), (&to, &mut target)] {
        allow(&agent.context.paths);
        create(node).await;
    }
    let path = from.context.paths.at(disk().logical_second);
    let file = fs::OpenOptions::new().write(true).open(&path).expect("the disk");
    file.write_all_at(&[3; 5 << 20], 9 << 20).expect("content");

    let prepare = DiskReceivePrepareRequest { disk: Some(disk()), source_node: "node1".into() };
    let ready = target.disk_receive_prepare(with_epoch(prepare, EPOCH)).await.expect("a ticket").into_inner();
    let last = send(&mut source, ready.clone()).await;
    assert!(last.finished && last.error.is_empty() && last.sha256.len() == 64, "{last:?}");
    let copied = to.context.paths.at(disk().logical_second);
    assert!(fs::read(&path).expect("source") == fs::read(&copied).expect("copy"), "the copy differs");

    // a ticket is good for one copy, and one that is refused changes nothing
    fs::OpenOptions::new().write(true).open(&path).expect("the disk").write_all_at(b"new", 0).expect("content");
    let again = send(&mut source, ready).await;
    assert!(again.finished && again.error.contains("ticket"), "{again:?}");
    assert_eq!(fs::read(&copied).expect("copy")[..3], [0; 3]);
}

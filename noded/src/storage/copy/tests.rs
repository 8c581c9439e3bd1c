use super::*;
use crate::storage::suite::{Node, disk};
use crate::storage::{BlockDevice, InPlace, open};
use futures::StreamExt;
use gannet_proto::node::{CopyProgress, DiskChunk, DiskReceived, DiskRef};
use tokio::sync::mpsc;
use tonic::Status;

/// Two nodes, each with its own files and the same disk.
async fn two(disk: &DiskRef) -> (Node, Node) {
    let nodes = (Node::new(), Node::new());
    for node in [&nodes.0, &nodes.1] {
        open(&node.paths, disk).unwrap().create(InPlace::OnlyItself).await.unwrap();
    }
    nodes
}

fn device(node: &Node, disk: &DiskRef) -> Box<dyn BlockDevice> {
    open(&node.paths, disk).unwrap()
}

async fn copy(from: &Node, to: &Node, disk: &DiskRef, spoil: impl Fn(&mut DiskChunk) + Send + 'static) -> Result<CopyProgress, Error> {
    let (progress, mut told) = mpsc::channel(16);
    tokio::spawn(async move { while told.recv().await.is_some() {} });
    let (paths, target) = (to.paths.clone(), disk.clone());
    send(&from.paths, disk, &progress, |chunks| async move {
        let chunks = chunks.map(move |mut chunk| {
            spoil(&mut chunk);
            Ok(chunk)
        });
        receive(&paths, &target, chunks).await.map_err(|error| Status::internal(error.chain()))
    })
    .await
}

#[tokio::test]
async fn content_and_holes_arrive() {
    for format in ["raw", "qcow2"] {
        let disk = disk("web1", format, 64);
        let (from, to) = two(&disk).await;
        let path = device(&from, &disk).path().unwrap().to_owned();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[7; 3 << 20], 40 << 20).unwrap();
        file.write_all_at(b"end", fs::metadata(&path).unwrap().len() - 3).unwrap();
        let done = copy(&from, &to, &disk, |_| ()).await.unwrap();
        assert!(done.finished && done.error.is_empty());
        let copied = device(&to, &disk).path().unwrap().to_owned();
        assert!(fs::read(path).unwrap() == fs::read(copied).unwrap(), "{format}: the copy differs");
        assert!(device(&to, &disk).info().await.unwrap().allocated_mib <= 5, "{format}: holes were filled");
    }
}

#[tokio::test]
async fn a_broken_copy_changes_nothing() {
    let disk = disk("web1", "raw", 8);
    let (from, to) = two(&disk).await;
    fs::write(device(&from, &disk).path().unwrap(), vec![1; 8 << 20]).unwrap();
    let spoil = |chunk: &mut DiskChunk| {
        if chunk.offset == 1 << 20 {
            chunk.data[0] = 9;
        }
    };
    let error = copy(&from, &to, &disk, spoil).await.unwrap_err().to_string();
    assert!(error.contains("digest"), "{error}");
    let path = device(&to, &disk).path().unwrap().to_owned();
    assert!(fs::read(&path).unwrap() == vec![0; 8 << 20]);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2, "the disk and its owner");
}

#[tokio::test]
async fn lengths_must_fit() {
    let disk = disk("web1", "raw", 8);
    let (from, to) = two(&disk).await;
    device(&from, &disk).grow(gannet_core::quantity::Mib(9), false).await.unwrap();
    let error = copy(&from, &to, &disk, |_| ()).await.unwrap_err().to_string();
    assert!(error.contains("the copy has"), "{error}");
}

#[tokio::test]
async fn the_answer_is_compared() {
    let disk = disk("web1", "raw", 1);
    let (from, _to) = two(&disk).await;
    let (progress, _told) = mpsc::channel(16);
    let lie = |chunks: tokio_stream::wrappers::ReceiverStream<DiskChunk>| async move {
        chunks.collect::<Vec<_>>().await;
        Ok(DiskReceived { bytes: 0, sha256: "0".repeat(64) })
    };
    assert!(matches!(send(&from.paths, &disk, &progress, lie).await, Err(Error::Copy { .. })));
}

#[tokio::test]
async fn a_caller_that_went_away_ends_the_copy() {
    let disk = disk("web1", "raw", 1);
    let (from, _to) = two(&disk).await;
    let (progress, told) = mpsc::channel(1);
    drop(told);
    let error = send(&from.paths, &disk, &progress, |_| std::future::pending()).await.unwrap_err();
    assert!(error.to_string().contains("went away"));
}

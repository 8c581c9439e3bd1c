//! What every hypervisor must do, whichever it is. Run against two nodes of the same kind.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gannet_proto::node::{Instance, InstanceRef, InstanceState, Nic};
use tokio::sync::{Mutex, mpsc};

use super::{Duplex, Error, Hotplug, Hypervisor, Outgoing, Reboot, Tunnel};

const PATIENCE: Duration = Duration::from_secs(60);

/// A small guest.
pub(crate) fn instance() -> Instance {
    Instance {
        name: "web1.example.com".to_owned(),
        uuid: "5f3e1a52-0b5c-4c3e-9d55-0123456789ab".to_owned(),
        hypervisor: "fake".to_owned(),
        min_memory_mib: 64,
        max_memory_mib: 128,
        vcpus: 1,
        ..Instance::default()
    }
}

/// A migration that nobody watches.
pub(crate) fn outgoing<'a>(instance: &'a Instance, data_uri: &'a str) -> Outgoing<'a> {
    Outgoing {
        instance,
        devices: &[],
        data_uri,
        live: true,
        copy_storage: false,
        bandwidth_mib_s: 0,
        max_downtime_ms: 300,
        timeout: PATIENCE,
        progress: mpsc::channel(64).0,
    }
}

/// A tunnel without a network.
struct Short(Arc<Mutex<Option<Box<dyn Duplex>>>>);

#[async_trait]
impl Tunnel for Short {
    async fn open(&self) -> Result<Box<dyn Duplex>, Error> {
        self.0.lock().await.take().ok_or_else(|| Error::Failed("opened twice".to_owned()))
    }
}

async fn state(node: &dyn Hypervisor, name: &str) -> InstanceState {
    node.info(name).await.expect("info").map_or(InstanceState::Stopped, |info| info.state())
}

/// The whole life of a guest, every step twice.
pub(crate) async fn run(here: &dyn Hypervisor, there: &dyn Hypervisor, instance: &Instance) {
    let name = instance.name.as_str();
    assert_eq!(here.node_facts().await.error, "");
    life(here, instance).await;
    changes(here, instance).await;
    migration(here, there, instance).await;
    assert!(!there.shutdown(name, PATIENCE).await.expect("shutdown").was_stopped);
    assert!(there.shutdown(name, PATIENCE).await.expect("shutdown again").was_stopped);
    there.rename(name, "renamed.example.com").await.expect("rename");
    there.rename(name, "renamed.example.com").await.expect("rename again");
}

async fn life(node: &dyn Hypervisor, instance: &Instance) {
    let name = instance.name.as_str();
    assert_eq!(state(node, name).await, InstanceState::Stopped);
    assert!(node.shutdown(name, Duration::ZERO).await.expect("shutdown of a stopped one").was_stopped);
    let missing = node.reboot(instance, Reboot::Hard, PATIENCE).await;
    assert!(matches!(missing, Err(Error::NotRunning { .. })), "{missing:?}");
    assert!(!node.start(instance, &[], true).await.expect("start paused").was_running);
    assert_eq!(state(node, name).await, InstanceState::Paused);
    assert!(node.start(instance, &[], false).await.expect("start again").was_running);
    assert_eq!(state(node, name).await, InstanceState::Running);
    let list = node.list().await.expect("list");
    assert_eq!(list.iter().map(|info| (info.name.as_str(), info.uuid.as_str())).collect::<Vec<_>>(), [(name, instance.uuid.as_str())]);
    assert_eq!(list[0].vcpus, instance.vcpus);
}

async fn changes(node: &dyn Hypervisor, instance: &Instance) {
    node.reboot(instance, Reboot::Hard, PATIENCE).await.expect("reboot");
    assert_eq!(state(node, &instance.name).await, InstanceState::Running);
    for _ in 0..2 {
        node.balloon(&instance.name, instance.min_memory_mib).await.expect("balloon");
    }
    let nic = Nic { uuid: "7a3b1c2d-0000-4000-8000-000000000001".to_owned(), ..Nic::default() };
    if node.name() == "fake" {
        for change in [Hotplug::AddNic(nic.clone()), Hotplug::AddNic(nic.clone()), Hotplug::RemoveNic(nic.clone()), Hotplug::RemoveNic(nic)]
        {
            node.hotplug(instance, &change).await.expect("hotplug");
        }
    }
    let reference = InstanceRef { name: instance.name.clone(), uuid: instance.uuid.clone(), hypervisor: instance.hypervisor.clone() };
    assert!(!node.console_info(&reference).await.expect("console info").kind.is_empty());
}

async fn migration(here: &dyn Hypervisor, there: &dyn Hypervisor, instance: &Instance) {
    let name = instance.name.as_str();
    let data_uri = there.migrate_prepare(instance, &[], "127.0.0.1").await.expect("prepare");
    let again = there.migrate_prepare(instance, &[], "127.0.0.1").await.expect("prepare again");
    let tunnel = Short(Arc::new(Mutex::new(Some(there.migrate_accept(name).await.expect("accept")))));
    drop(data_uri);
    here.migrate_run(&outgoing(instance, &again), Box::new(tunnel)).await.expect("migrate");
    for _ in 0..2 {
        let source = here.migrate_settle(name, false, PATIENCE).await.expect("settle the source");
        let target = there.migrate_settle(name, true, PATIENCE).await.expect("settle the target");
        assert_eq!((source.state(), target.state()), (InstanceState::Stopped, InstanceState::Running));
    }
}

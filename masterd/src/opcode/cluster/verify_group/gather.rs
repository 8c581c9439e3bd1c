//! What the nodes of a group say, beside what the configuration says of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use gannet_core::config::{Config, Instance, Node, NodeGroup};
use gannet_core::lock::{Lock, Mode};
use gannet_core::param::NicMode;
use gannet_core::quantity::Timestamp;
use gannet_proto::node::{HvParams, PeerAddress, VerifyReply, VerifyRequest};
use gannet_proto::params_to_proto;
use sha2::{Digest, Sha256};

use crate::held::Held;
use crate::rule::spec;

/// ssconf files are sent after a change, not with it: so many more looks before they are called different, each after the newest
/// state was sent. More than one, since other jobs go on meanwhile.
const LOOKS: usize = 4;
/// A node that takes its files takes them in less.
const EXPORT_LIMIT: Duration = Duration::from_secs(15);
/// Files that are the same on all nodes.
pub(super) const SHARED_FILES: [&str; 3] = ["/var/lib/ganeti/ca.pem", "/var/lib/ganeti/hmac.key", "/var/lib/ganeti/cluster-domain-secret"];

/// One node.
#[derive(Debug, Clone)]
pub(super) struct SeenNode {
    pub(super) node: Arc<Node>,
    /// `None` for a node that was not asked, since it is offline.
    pub(super) reply: Option<Result<VerifyReply, String>>,
    /// When the question was sent and the answer was had.
    pub(super) asked: (Timestamp, Timestamp),
}

/// Everything that is compared.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) config: Config,
    pub(super) nodes: Vec<SeenNode>,
    /// The instances of the group, by name.
    pub(super) instances: Vec<Arc<Instance>>,
    /// Instances that a job is working on: their state on nodes is not compared.
    pub(super) busy: BTreeSet<String>,
    /// All instances, before and after the nodes were asked.
    pub(super) known: BTreeSet<String>,
    /// Paths of all disks, before and after.
    pub(super) volumes: BTreeSet<String>,
    /// File → digest that it must have.
    pub(super) expected: BTreeMap<String, String>,
    /// A job may create files now: orphans are not looked for.
    pub(super) creating: bool,
}

impl SeenNode {
    pub(super) fn answer(&self) -> Option<&VerifyReply> {
        self.reply.as_ref()?.as_ref().ok()
    }
}

/// Asks all nodes of the group at once.
pub(super) async fn gather(held: &Held<'_>, group: &NodeGroup) -> Seen {
    let before = held.state().clone();
    let mut busy = busy(held);
    let mut members: Vec<Arc<Node>> = before.config.nodes_of_group(&group.uuid).cloned().collect();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    let asked = members.iter().map(|node| ask(held, node, request(&before.config, node, group)));
    let mut nodes: Vec<SeenNode> = join_all(asked).await;
    let mut expected = expected(&before.config);
    for _ in 0..LOOKS {
        if !differ(&nodes, &expected) {
            break;
        }
        let master = &held.context().master;
        let newest = master.store().state();
        if !master.exports().reaches(newest.index, EXPORT_LIMIT).await {
            break;
        }
        expected = self::expected(&newest.config);
        look_again(held, &mut nodes, &expected).await;
    }
    let after = held.context().master.store().state();
    busy.extend(self::busy(held));
    // What has changed meanwhile was compared with neither state.
    let moved = before.config.instances().filter(|instance| after.config.instance(&instance.uuid) != Some(*instance));
    busy.extend(moved.map(|instance| instance.name.to_string()));
    let all = || before.config.instances().chain(after.config.instances());
    let paths = |config: &Config| config.disks().filter_map(|disk| disk.logical_id.path().map(str::to_owned)).collect::<Vec<_>>();
    let here = |instance: &&Arc<Instance>| before.config.node(&instance.primary_node).is_some_and(|node| node.group == group.uuid);
    let known: BTreeSet<String> = all().map(|instance| instance.name.to_string()).collect();
    Seen {
        creating: busy.iter().any(|name| !known.contains(name)),
        known,
        volumes: paths(&before.config).into_iter().chain(paths(&after.config)).collect(),
        instances: before.config.instances().filter(here).cloned().collect(),
        config: before.config.clone(),
        nodes,
        busy,
        expected,
    }
}

/// Names of instances that a job holds for itself.
fn busy(held: &Held<'_>) -> BTreeSet<String> {
    let locks = held.context().master.locks().info();
    let taken = locks.into_iter().filter(|info| info.mode == Some(Mode::Exclusive));
    taken.filter_map(|info| if let Lock::Instance(name) = info.lock { Some(name.to_string()) } else { None }).collect()
}

async fn ask(held: &Held<'_>, node: &Arc<Node>, request: VerifyRequest) -> SeenNode {
    let clock = held.context().master.clock();
    let start = clock.now();
    let reply = if node.offline {
        None
    } else {
        let asked = async { held.ask(&node.uuid)?.verify(request).await.map_err(crate::refusal::Refusal::from) };
        Some(asked.await.map_err(|refusal| refusal.message))
    };
    SeenNode { node: node.clone(), reply, asked: (start, clock.now()) }
}

fn request(config: &Config, node: &Node, group: &NodeGroup) -> VerifyRequest {
    let cluster = config.cluster();
    let hypervisors = if node.vm_capable { cluster.enabled_hypervisors.clone() } else { Vec::new() };
    let hvparams: HashMap<String, HvParams> = hypervisors
        .iter()
        .filter_map(|name| Some((name.clone(), HvParams { params: params_to_proto(cluster.hvparams.get(name)?) })))
        .collect();
    let peers = config.nodes_of_group(&group.uuid).filter(|peer| !peer.offline && peer.uuid != node.uuid);
    let storage = if node.vm_capable { crate::opcode::node::storage_units(config) } else { Vec::new() };
    VerifyRequest {
        hypervisors,
        file_storage_dirs: storage.iter().map(|unit| unit.key.clone()).collect(),
        storage,
        files: expected(config).into_keys().chain(SHARED_FILES.map(str::to_owned)).collect(),
        bridges: bridges(config, node),
        peers: peers.map(|peer| PeerAddress { name: peer.name.to_string(), address: peer.primary_ip.clone() }).collect(),
        disks: config.primary_instances(&node.uuid).flat_map(|instance| spec::disk_refs(config, instance)).collect(),
        master_ip: cluster.master_ip.clone(),
        master_netdev: cluster.master_netdev.clone(),
        user_scripts: if cluster.use_external_mip_script { vec!["/etc/ganeti/scripts/master-ip-setup".to_owned()] } else { Vec::new() },
        hvparams,
    }
}

/// The bridges that the node's instances need, and the cluster's default one.
fn bridges(config: &Config, node: &Node) -> Vec<String> {
    if !node.vm_capable {
        return Vec::new();
    }
    let group = config.group(&node.group).map(AsRef::as_ref);
    let used = config.primary_instances(&node.uuid).flat_map(|instance| instance.nics.iter()).map(|nic| spec::nic(config, group, nic));
    let default = gannet_core::param::fill::nic(&config.cluster().nicparams, None, &gannet_core::config::ParamMap::new());
    // The fake hypervisor has no NICs: its nodes need no bridges.
    let real = config.cluster().enabled_hypervisors.iter().any(|name| name != "fake");
    let all = used.chain([default]).filter(|nic| real && nic.mode() == Some(NicMode::Bridged)).map(|nic| nic.link().to_owned());
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

/// What each ssconf file must hold.
fn expected(config: &Config) -> BTreeMap<String, String> {
    let digest = |text: &str| crate::pki::hex(&Sha256::digest(text.as_bytes()));
    crate::export::ssconf_values(config).into_iter().map(|(key, value)| (format!("/var/lib/ganeti/ssconf_{key}"), digest(&value))).collect()
}

fn differ(nodes: &[SeenNode], expected: &BTreeMap<String, String>) -> bool {
    let good = |reply: &VerifyReply| expected.iter().all(|(file, digest)| reply.file_digests.get(file) == Some(digest));
    nodes.iter().filter_map(SeenNode::answer).any(|reply| !good(reply))
}

async fn look_again(held: &Held<'_>, nodes: &mut [SeenNode], expected: &BTreeMap<String, String>) {
    let files: Vec<String> = expected.keys().cloned().collect();
    let asked = nodes.iter().map(|node| {
        let request = VerifyRequest { files: files.clone(), ..VerifyRequest::default() };
        async move {
            let reads = held.ask(&node.node.uuid).ok()?;
            reads.verify(request).await.ok()
        }
    });
    let replies = join_all(asked).await;
    for (node, reply) in nodes.iter_mut().zip(replies) {
        if let (Some(Ok(seen)), Some(reply)) = (&mut node.reply, reply) {
            seen.file_digests.extend(reply.file_digests);
        }
    }
}

/// As Ganeti calls it in the verbose report.
pub(super) fn role_text(seen: &Seen, node: &SeenNode) -> &'static str {
    use gannet_core::config::NodeRole;
    match node.node.role(&seen.config.cluster().master_node) {
        NodeRole::Master => "master",
        NodeRole::Candidate => "master candidate",
        NodeRole::Drained => "drained",
        NodeRole::Offline => "offline",
        NodeRole::Regular => "regular",
    }
}

/// A group in which all is well, for tests.
#[cfg(test)]
pub(super) fn sample() -> Seen {
    use crate::rule::sample;
    use gannet_proto::node::{DiskState, InstanceInfo, InstanceState, NodeInfoReply};

    let config = sample::config();
    let now = Timestamp::from_secs_f64(1_700_000_000.0);
    let expected = expected(&config);
    let reply = |n: u32| VerifyReply {
        info: Some(NodeInfoReply { memory_total_mib: 4096, memory_free_mib: 3000, ..NodeInfoReply::default() }),
        file_digests: expected.clone().into_iter().chain(SHARED_FILES.map(|file| (file.to_owned(), "aa".to_owned()))).collect(),
        time: 1_700_000_000.0,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        master_ip_here: n == 1,
        instances: if n == 1 {
            vec![InstanceInfo { name: "web1.example.com".to_owned(), state: InstanceState::Running.into(), ..InstanceInfo::default() }]
        } else {
            Vec::new()
        },
        disks: if n == 1 {
            vec![DiskState { uuid: sample::uuid(4, 1), exists: true, size_mib: 1024, ..DiskState::default() }]
        } else {
            Vec::new()
        },
        ..VerifyReply::default()
    };
    Seen {
        nodes: (1..=3).map(|n| SeenNode { node: Arc::new(sample::node(n)), reply: Some(Ok(reply(n))), asked: (now, now) }).collect(),
        instances: config.instances().cloned().collect(),
        busy: BTreeSet::new(),
        known: config.instances().map(|instance| instance.name.to_string()).collect(),
        volumes: config.disks().filter_map(|disk| disk.logical_id.path().map(str::to_owned)).collect(),
        expected,
        creating: false,
        config,
    }
}

/// The answer of the sample's `n`th node (from 1), to be changed.
#[cfg(test)]
pub(super) fn answer(seen: &mut Seen, n: usize) -> &mut VerifyReply {
    let reply = seen.nodes.get_mut(n - 1).and_then(|node| node.reply.as_mut());
    reply.expect("a node of the sample").as_mut().expect("it answers")
}

//! One model of what a cluster can lose and take: `gnt-cluster verify` and the built-in allocator never disagree with hcheck, hail
//! and hspace, which are asked about the same cluster written down as a text.

use std::sync::Arc;

use gannet_core::config::{Disk, Object};
use gannet_htools::program::{self, Io};
use gannet_htools::state::N1Rule;
use gannet_proto::node::{InstanceInfo, InstanceListReply, NodeInfoReply};
use proptest::prelude::*;

use super::*;
use crate::rule::sample;

/// Guests keep their disks on shared storage: of others verify says nothing, since they are lost with their node.
#[derive(Debug, Clone)]
struct Sample {
    /// Total memory and what the node itself takes of it, in MiB.
    nodes: Vec<(u64, u64)>,
    /// Node and memory of each instance, in MiB; they all run.
    instances: Vec<(usize, u64)>,
    /// Memory of the new one, in MiB.
    memory: u64,
}

/// MiB of each disk.
const DISK: u64 = 1024;
const CPUS: u32 = 8;

impl Sample {
    /// Memory of the guests on a node that fit there, in MiB; the others are left out.
    fn placed(&self) -> (Vec<(usize, u64)>, Vec<u64>) {
        let mut free: Vec<u64> = self.nodes.iter().map(|(total, own)| total - own).collect();
        let mut placed = Vec::new();
        for (node, memory) in &self.instances {
            let node = node % self.nodes.len();
            if free[node] > *memory {
                free[node] -= memory;
                placed.push((node, *memory));
            }
        }
        (placed, free)
    }

    fn config(&self) -> (Config, HashMap<NodeUuid, Facts>) {
        let mut config = sample::config();
        let (placed, free) = self.placed();
        for (id, old) in config.instances().map(|old| (old.uuid.to_string(), old.clone())).collect::<Vec<_>>() {
            config.remove(gannet_core::config::ObjectKind::Instance, &id);
            old.disks.iter().for_each(|disk| config.remove(gannet_core::config::ObjectKind::Disk, disk.as_str()));
        }
        for n in 1..=3 {
            config.remove(gannet_core::config::ObjectKind::Node, &sample::uuid(1, n));
        }
        let mut facts = HashMap::new();
        for (at, (total, _)) in self.nodes.iter().enumerate() {
            let number = number(at);
            config.put(Object::Node(Arc::new(sample::node(number))));
            let guests = placed.iter().enumerate().filter(|(_, (node, _))| *node == at);
            let instances =
                guests.map(|(index, (_, memory))| InstanceInfo { name: name(index), memory_mib: *memory, ..InstanceInfo::default() });
            let info = NodeInfoReply { memory_total_mib: *total, memory_free_mib: free[at], cpu_total: CPUS, ..NodeInfoReply::default() };
            let instances = InstanceListReply { instances: instances.collect(), ..InstanceListReply::default() };
            facts.insert(sample::uuid(1, number).into(), Facts { info, instances });
        }
        for (index, (node, memory)) in placed.iter().enumerate() {
            config.put(Object::Instance(Arc::new(instance(index, number(*node), *memory))));
            let shared = Disk { dev_type: "sharedfile".into(), ..sample::disk(number(index), number(*node)) };
            config.put(Object::Disk(Arc::new(shared)));
        }
        (config, facts)
    }

    fn text(&self) -> String {
        let (placed, free) = self.placed();
        let mut text = format!("default|{}|preferred||\n\n", sample::uuid(2, 1));
        for (at, (total, _)) in self.nodes.iter().enumerate() {
            text += &format!(
                "node{}.example.com|{total}|0|{}|9000000|9000000|{CPUS}|N|{}|1||N|0|0|1.0\n",
                number(at),
                free[at],
                sample::uuid(2, 1)
            );
        }
        text += "\n";
        for (index, (node, memory)) in placed.iter().enumerate() {
            text += &format!("{}|{memory}|{DISK}|1|running|Y|node{}.example.com||sharedfile||1|-|N\n", name(index), number(*node));
        }
        text + "\n\n"
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at + 1).expect("a small number")
}

/// In the order of the names, which is the built-in allocator's, and of the text, which is the tools': whether all guests of a lost node
/// find a place depends on who is placed first.
fn name(index: usize) -> String {
    format!("web{:03}.example.com", index + 1)
}

fn instance(index: usize, node: u32, memory: u64) -> Instance {
    let mut instance = sample::instance(number(index), node);
    instance.name = name(index).parse().expect("a good name");
    for (name, value) in [("maxmem", memory), ("minmem", memory), ("vcpus", 1)] {
        instance.beparams.insert(name.to_owned(), value.into());
    }
    instance
}

/// What a program of htools says about the text.
fn tool(name: &str, text: &str, request: Option<&str>, words: &[&str]) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |file: &str, content: &str| {
        let path = dir.path().join(file);
        std::fs::write(&path, content).expect("a file can be written");
        path.display().to_string()
    };
    let mut arguments = vec!["-t".to_owned(), write("cluster", text)];
    arguments.extend(words.iter().map(ToString::to_string));
    arguments.extend(request.map(|request| write("request", request)));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    program::run(name, &arguments, &mut Io { out: &mut out, err: &mut err, n1_rule: N1Rule::Unallocated });
    String::from_utf8_lossy(&[out, err].concat()).into_owned()
}

fn key(said: &str, name: &str) -> u64 {
    let value = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    value.and_then(|value| value.trim_matches(['\'', '"']).parse().ok()).unwrap_or_else(|| panic!("no {name} in {said}"))
}

/// The four of them about one cluster; whether the new instance has a place.
fn agree(sample: &Sample) -> Result<bool, TestCaseError> {
    let (config, facts) = sample.config();
    let text = sample.text();
    let group = sample::uuid(2, 1).into();
    let lost = irreplaceable(&config, &facts, &group).expect("a sound configuration");
    let checked = tool("hcheck", &text, None, &["--machine-readable", "--no-simulation"]);
    prop_assert_eq!(lost.len() as u64, key(&checked, "HCHECK_INIT_GROUP_0_GN1_FAIL"), "verify and hcheck: {:?}\n{}", lost, text);

    let newcomer = instance(900, 1, sample.memory);
    let wanted = Wanted {
        instance: &newcomer,
        template: DiskTemplate::SharedFile,
        disks_mib: vec![DISK],
        start: true,
        group: None,
        nodes: None,
        ignore_policy: false,
    };
    let placed = Placer::from_facts(&config, &facts, DiskTemplate::SharedFile, None).expect("sound").allocate(&config, &wanted);
    if !lost.is_empty() {
        // hail refuses then, whatever is asked; here only what becomes worse is refused (docs/decisions/007).
        return Ok(placed.is_ok());
    }
    let request = serde_json::json!({"cluster_tags": [], "enabled_hypervisors": ["fake"], "nodegroups": {}, "nodes": {}, "instances": {}, "request": {
        "type": "allocate", "name": "new.example.com", "memory": sample.memory, "vcpus": 1, "disks": [{"size": DISK, "mode": "rw"}],
        "disk_space_total": DISK, "tags": [], "nics": [], "os": "x", "spindle_use": 1, "required_nodes": 1,
        "disk_template": "sharedfile", "hypervisor": "fake"}});
    let answered = tool("hail", &text, Some(&request.to_string()), &[]);
    let by_hail = answered.contains("\"success\":true");
    prop_assert_eq!(placed.is_ok(), by_hail, "the built-in allocator and hail: {:?}\n{}\n{}", placed, answered, text);
    if let Ok(nodes) = &placed {
        let chosen = config.node(&nodes[0]).map(|node| node.name.to_string()).unwrap_or_default();
        prop_assert!(answered.contains(&format!("[\"{chosen}\"]")), "{} and {}", chosen, answered);
    }
    let size = format!("--standard-alloc={DISK},{},1", sample.memory);
    let counted = tool("hspace", &text, None, &["--machine-readable", "--disk-template=sharedfile", &size]);
    let count = key(&counted, "HTS_ALLOC_INSTANCES");
    prop_assert_eq!(placed.is_ok(), count > 0, "the built-in allocator and hspace: {:?}\n{}\n{}", placed, counted, text);
    Ok(placed.is_ok())
}

fn samples() -> impl Strategy<Value = Sample> {
    let node = (2000u64..9000, 0u64..1500);
    let guest = (0usize..6, 128u64..1600);
    (prop::collection::vec(node, 2..6), prop::collection::vec(guest, 0..14), 128u64..2500).prop_map(|(nodes, instances, memory)| Sample {
        nodes,
        instances,
        memory,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn verify_and_the_allocator_agree_with_the_tools(sample in samples()) {
        agree(&sample)?;
    }
}

/// The property above says something: there are clusters with and without a place, whole ones and ones that can lose nothing.
#[test]
fn both_answers_occur() {
    let roomy = |guests: usize, memory| Sample { nodes: vec![(8000, 500); 3], instances: vec![(0, 1500); guests], memory };
    assert!(agree(&roomy(2, 1000)).expect("they agree"));
    assert!(!agree(&roomy(4, 7700)).expect("they agree"), "no other node would take it");
    let tight = Sample { nodes: vec![(8000, 500), (2000, 500)], instances: vec![(0, 1600)], memory: 128 };
    let (config, facts) = tight.config();
    assert_eq!(irreplaceable(&config, &facts, &sample::uuid(2, 1).into()).expect("sound").len(), 1);
    agree(&tight).expect("they agree");
}

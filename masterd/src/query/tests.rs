//! All fields of all resources, on the example cluster of the contract.

use std::collections::HashMap;
use std::sync::Arc;

use gannet_core::config::{AdminState, Config, Instance, Node, Object};
use gannet_core::id::{JobId, NodeUuid};
use gannet_core::job::{Job, JobStatus};
use gannet_core::lock::{Lock, Mode};
use gannet_core::opcode::OpCode;
use gannet_core::quantity::Timestamp;
use gannet_core::query::{FieldKind, QueryResponse, ResultStatus, nice_cmp};
use gannet_proto::node::{InstanceInfo, InstanceListReply, InstanceState, NodeInfoReply, OsDefinition, OsDiagnoseReply, StorageSpace};
use serde_json::json;

use super::live::{Answers, Guests, NodeGuests};
use super::table::{Answer, Plan};
use super::*;
use crate::lock::LockInfo;

fn contract() -> Value {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../qa/parity/query_fields.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn request(fields: &[String], filter: Value) -> Request<'_> {
    Request { fields, filter: Filter::try_from(&filter).unwrap(), style: Style::New }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn node_named<'a>(config: &'a Config, name: &str) -> &'a Arc<Node> {
    config.find_node(name).unwrap()
}

fn info(instance: &Instance, state: InstanceState) -> InstanceInfo {
    InstanceInfo {
        name: instance.name.to_string(),
        uuid: instance.uuid.to_string(),
        hypervisor: instance.hypervisor.clone(),
        state: state.into(),
        memory_mib: 1000,
        vcpus: 2,
        ..InstanceInfo::default()
    }
}

fn guests(replies: impl IntoIterator<Item = (NodeUuid, Vec<InstanceInfo>)>) -> Guests {
    let answer = |(node, instances)| (node, Arc::new(NodeGuests::new(InstanceListReply { instances, errors: HashMap::new() })));
    Guests::new(replies.into_iter().map(answer).collect())
}

/// Every node answers; inst1 runs where it should.
fn all_well(config: &Config) -> Guests {
    let inst1 = config.find_instance("inst1").unwrap();
    guests(config.nodes().map(|node| {
        let here = if node.uuid == inst1.primary_node { vec![info(inst1, InstanceState::Running)] } else { Vec::new() };
        (node.uuid.clone(), here)
    }))
}

fn facts(config: &Config) -> Answers<NodeInfoReply> {
    let space = |kind: &str, total_mib, error: &str| StorageSpace {
        r#type: kind.into(),
        total_mib,
        free_mib: 5,
        error: error.into(),
        ..StorageSpace::default()
    };
    let reply = NodeInfoReply {
        memory_total_mib: 4096,
        memory_free_mib: 1024,
        memory_dom0_mib: 512,
        cpu_total: 8,
        cpu_nodes: 1,
        cpu_sockets: 1,
        cpu_dom0: 8,
        boot_id: "b".into(),
        storage: vec![space("plain", 9, "not built"), space("file", 10, "")],
        ..NodeInfoReply::default()
    };
    config.nodes().map(|node| (node.uuid.clone(), Arc::new(reply.clone()))).collect()
}

fn instances(config: &Config, live: Option<&Guests>, request: &Request<'_>) -> Result<QueryResponse, WireError> {
    let mut rows: Vec<&Instance> = config.instances().map(Arc::as_ref).collect();
    sort_nicely(&mut rows, |instance| instance.name.as_str());
    let rows = instance::select(config, None, request, rows)?;
    let rows = instance::select(config, live, request, rows)?;
    Ok(serde_json::from_str(&instance::write(config, live, request, &rows)?).unwrap())
}

fn a_job() -> Job {
    let op = OpCode::from_json(json!({
        "OP_ID": "OP_INSTANCE_REINSTALL", "instance_name": "inst1", "osparams_private": {"root_pw": "hush"},
        "osparams_secret": {"token": "psst"},
    }));
    let mut job = Job::new(JobId(7), vec![op.unwrap()], Timestamp(1_700_000_000_000_001));
    job.ops[0].status = JobStatus::Running;
    job
}

/// One row of all fields of a resource.
fn a_row(config: &Config, resource: Resource, request: &Request<'_>) -> QueryResponse {
    let text = match resource {
        Resource::Instance => return instances(config, Some(&all_well(config)), request).unwrap(),
        Resource::Node => {
            let rows: Vec<&Node> = config.nodes().map(AsRef::as_ref).collect();
            node::write(&node::Nodes::new(config, Some(&facts(config)), None), request, &rows).unwrap()
        }
        Resource::Group => group::answer(config, request).unwrap(),
        Resource::Network => network::answer(config, request).unwrap(),
        Resource::Filter => filter::answer(config, request).unwrap(),
        Resource::Cluster => cluster::answer(config, cluster::Status { drained: false, watcher_pause: Some(1e9) }, request).unwrap(),
        Resource::Job => {
            let plan = Plan::new::<job::Jobs>(request).unwrap();
            let mut answer = Answer::new(&plan, 1);
            answer.add(&plan, &job::Jobs, job::Found { id: JobId(7), job: job::Known::Whole(&a_job()), archived: false });
            answer.finish()
        }
        Resource::Lock => {
            let lock = LockInfo {
                lock: Lock::Cluster,
                mode: Some(Mode::Shared),
                owners: vec![JobId(1)],
                pending: vec![(Mode::Exclusive, JobId(2))],
            };
            lock::answer(&[lock], request).unwrap()
        }
        Resource::Os => {
            let definition = OsDefinition { name: "debian".into(), valid: true, ..OsDefinition::default() };
            let answers = [(config.nodes().next().unwrap().uuid.clone(), Arc::new(OsDiagnoseReply { definitions: vec![definition] }))];
            os::write(config.cluster(), &os::merge(config, &answers.into()), request).unwrap()
        }
        Resource::Export => {
            let nodes = [config.nodes().next().unwrap()];
            let item = gannet_proto::node::StorageItem { name: "/x/web/config.ini".into(), instance: "web".into(), ..Default::default() };
            let reply = gannet_proto::node::StorageListReply { items: vec![item], ..Default::default() };
            let answers = [(nodes[0].uuid.clone(), Arc::new(reply))].into();
            let plan = Plan::new::<export::Exports>(request).unwrap();
            plan.answer(&export::Exports, &export::rows(&nodes, &answers))
        }
        Resource::Extstorage => {
            assert!(extstorage::answer(request).unwrap_err().message().contains("not available"));
            return QueryResponse { fields: Vec::new(), data: Vec::new() };
        }
    };
    serde_json::from_str(&text).unwrap()
}

fn fits(kind: FieldKind, value: &Value) -> bool {
    match kind {
        FieldKind::Text => value.is_string(),
        FieldKind::Bool => value.is_boolean(),
        FieldKind::Number | FieldKind::Unit => value.is_i64() || value.is_u64(),
        FieldKind::Float | FieldKind::Timestamp => value.is_number(),
        FieldKind::Other => true,
        FieldKind::Unknown => false,
    }
}

#[test]
fn every_field_of_the_contract_has_a_value_or_a_reason() {
    let (config, contract) = (sample::config(), contract());
    let mut count = 0;
    for resource in Resource::ALL {
        let mut fields: Vec<String> = contract["resources"][resource.as_str()]["fields"].as_object().unwrap().keys().cloned().collect();
        for (family, range) in contract["resources"][resource.as_str()]["indexed_fields"].as_object().into_iter().flatten() {
            let last: usize = range["N"].as_str().unwrap().rsplit('.').next().unwrap().parse().unwrap();
            let stem = family.trim_end_matches('N');
            fields.extend((0..=last).map(|n| format!("{stem}{n}")));
        }
        fields.sort();
        fields.dedup();
        count += fields.len();
        let answer = a_row(&config, resource, &request(&fields, Value::Null));
        for row in &answer.data {
            assert_eq!(row.len(), fields.len());
            for (field, cell) in answer.fields.iter().zip(row) {
                assert_ne!(cell.status, ResultStatus::Unknown, "{resource} {}", field.name);
                assert!(cell.status != ResultStatus::Normal || fits(field.kind, &cell.value), "{resource} {} {cell:?}", field.name);
            }
        }
        assert!(!answer.data.is_empty() || resource == Resource::Extstorage, "{resource}");
    }
    assert_eq!(count, contract["counts"]["fields_total"].as_u64().unwrap() as usize);
}

#[test]
fn what_has_no_value_is_a_short_list() {
    // Fields of the example that have deliberately no value in its first row.
    let config = sample::config();
    let without = |resource: Resource| -> Vec<String> {
        let fields: Vec<String> = field::all(resource).iter().map(|field| field.name.to_string()).collect();
        let answer = a_row(&config, resource, &request(&fields, Value::Null));
        let row = answer.fields.iter().zip(&answer.data[0]);
        row.filter(|(_, cell)| cell.status != ResultStatus::Normal).map(|(field, _)| field.name.clone()).collect()
    };
    // Where the state store has not been asked, nobody's role in it is known.
    let node = ["disk_state", "hv_state", "powered", "spfree", "sptotal", "store.lag", "store.role", "store.term"];
    assert_eq!(without(Resource::Node), node);
    assert_eq!(without(Resource::Network), ["gateway6", "mac_prefix", "network6"]);
    assert_eq!(without(Resource::Job), ["end_ts", "start_ts"]);
    for resource in [Resource::Group, Resource::Filter, Resource::Cluster, Resource::Lock, Resource::Os, Resource::Export] {
        assert_eq!(without(resource), Vec::<String>::new(), "{resource}");
    }
    let numbered = |name: &String| name.starts_with("disk.") || name.starts_with("nic.") || name.starts_with("hv/");
    let others: Vec<String> = without(Resource::Instance).into_iter().filter(|name| !numbered(name)).collect();
    assert_eq!(others, ["console", "network_port", "sdb_size"], "console: the node was not asked for it");
}

#[test]
fn values_of_instances() {
    let config = sample::config();
    let fields = strings(&[
        "name",
        "pnode",
        "snodes",
        "disk_template",
        "disk_usage",
        "disk.sizes",
        "disk.names",
        "be/memory",
        "be/minmem",
        "nic.links",
        "nic.bridges",
        "nic.vlans",
        "nic.networks.names",
        "status",
        "oper_ram",
        "oper_state",
        "sda_size",
        "ip",
        "hv/acpi",
        "nosuch",
    ]);
    let answer = instances(&config, Some(&all_well(&config)), &request(&fields, Value::Null)).unwrap();
    let wire = serde_json::to_value(&answer.data).unwrap();
    assert_eq!(
        wire,
        json!([
            [
                [0, "inst1.example.com"],
                [0, "node1.example.com"],
                [0, ["node2.example.com"]],
                [0, "drbd"],
                [0, 10368],
                [0, [10240]],
                [0, [null]],
                [0, 1024],
                [0, 512],
                [0, ["br0"]],
                [0, ["br0"]],
                [0, [null]],
                [0, ["net1"]],
                [0, "running"],
                [0, 1000],
                [0, true],
                [0, 10240],
                [0, "203.0.113.2"],
                [0, true],
                [1, null],
            ],
            [
                [0, "inst2.example.com"],
                [0, "node3.example.com"],
                [0, []],
                [0, "plain"],
                [0, 4096],
                [0, [4096]],
                [0, ["root"]],
                [0, 128],
                [0, 128],
                [0, ["br0"]],
                [0, ["br0"]],
                [0, [null]],
                [0, [null]],
                [0, "ADMIN_down"],
                [3, null],
                [0, false],
                [0, 4096],
                [3, null],
                [0, true],
                [1, null],
            ],
        ])
    );
}

#[test]
fn filled_parameters_are_those_of_the_rules() {
    let mut config = sample::config();
    let instance = config.find_instance("inst2").unwrap().clone();
    let changed = sample::change(&instance, |instance| {
        instance.beparams = serde_json::from_value(json!({"memory": 777, "vcpus": 3})).unwrap();
        instance.hvparams = serde_json::from_value(json!({"kernel_path": "/own", "migration_port": 1})).unwrap();
    });
    config.put(Object::Instance(changed.clone()));
    let fields = strings(&["beparams", "hvparams", "be/maxmem", "hv/kernel_path"]);
    let answer = instances(&config, None, &request(&fields, json!(["==", "name", "inst2"]))).unwrap();
    let be = gannet_core::param::fill::be(&config.cluster().beparams, &changed.beparams);
    let layers = gannet_core::param::HvLayers {
        cluster: &config.cluster().hvparams,
        os_hvp: &config.cluster().os_hvp,
        os: Some(&changed.os),
        instance: &changed.hvparams,
    };
    let hv = gannet_core::param::fill::hv(gannet_core::param::HypervisorKind::Kvm, layers);
    assert_eq!(answer.data[0][0].value, serde_json::to_value(be).unwrap());
    assert_eq!(answer.data[0][1].value, serde_json::to_value(hv).unwrap());
    assert_eq!((&answer.data[0][2].value, &answer.data[0][3].value), (&json!(777), &json!("/own")));
}

/// Statuses of both instances.
fn statuses(config: &Config, live: &Guests) -> Vec<Value> {
    let fields = strings(&["status", "oper_state", "oper_ram"]);
    let answer = instances(config, Some(live), &request(&fields, Value::Null)).unwrap();
    answer.data.iter().map(|row| serde_json::to_value(row).unwrap()).collect()
}

#[test]
fn silent_and_offline_nodes_cost_only_their_rows() {
    let mut config = sample::config();
    let silent = guests([(node_named(&config, "node3").uuid.clone(), Vec::new())]);
    let down = json!([[0, "ERROR_nodedown"], [2, null], [2, null]]);
    let fine = json!([[0, "ADMIN_down"], [0, false], [3, null]]);
    assert_eq!(statuses(&config, &silent), [down, fine.clone()]);
    let offline = sample::change(node_named(&config, "node1"), |node| node.offline = true);
    config.put(Object::Node(offline));
    assert_eq!(statuses(&config, &silent), [json!([[0, "ERROR_nodeoffline"], [4, null], [4, null]]), fine]);
}

#[test]
fn what_is_not_as_wanted_is_an_error() {
    let config = sample::config();
    let [inst1, inst2] = ["inst1", "inst2"].map(|name| config.find_instance(name).unwrap().clone());
    let [node1, node2, node3] = ["node1", "node2", "node3"].map(|name| node_named(&config, name).uuid.clone());
    let live = guests([
        (node1.clone(), vec![info(&inst1, InstanceState::Stopped)]),
        (node2.clone(), vec![info(&inst1, InstanceState::Running)]),
        (node3.clone(), vec![info(&inst2, InstanceState::Running)]),
    ]);
    let words = |live: &Guests| statuses(&config, live).iter().map(|row| row[0][1].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(words(&live), ["ERROR_wrongnode", "ERROR_up"]);
    // The target of a migration is not yet the instance.
    let live = guests([
        (node1, vec![]),
        (node2, vec![info(&inst1, InstanceState::Incoming)]),
        (node3, vec![info(&inst2, InstanceState::Crashed)]),
    ]);
    assert_eq!(words(&live), ["ERROR_down", "ADMIN_down"]);
}

#[test]
fn guests_that_shut_themselves_down_are_known_where_that_is_allowed() {
    let mut config = sample::config();
    let inst1 = config.find_instance("inst1").unwrap().clone();
    assert_eq!(inst1.admin_state, AdminState::Up);
    let live = |config: &Config| {
        guests(config.nodes().map(|node| {
            let here = if node.uuid == inst1.primary_node { vec![info(&inst1, InstanceState::UserDown)] } else { Vec::new() };
            (node.uuid.clone(), here)
        }))
    };
    let word = |config: &Config| statuses(config, &live(config))[0][0][1].clone();
    assert_eq!(word(&config), "ERROR_down");
    let cluster = sample::change(config.cluster(), |cluster| cluster.enabled_user_shutdown = true);
    config.put(Object::Cluster(cluster));
    assert_eq!(word(&config), "ERROR_down", "KVM needs its parameter too");
    let allowed = sample::change(&inst1, |instance| {
        instance.hvparams.insert("user_shutdown".into(), true.into());
    });
    config.put(Object::Instance(allowed));
    assert_eq!(word(&config), "USER_down");
}

#[test]
fn filters_wait_for_live_data_only_where_they_must() {
    let config = sample::config();
    let fields = strings(&["name"]);
    let filter = json!(["&", ["==", "pnode", "node1"], ["==", "status", "running"]]);
    let request = request(&fields, filter);
    assert!(request.is_live(Resource::Instance));
    let all: Vec<&Instance> = config.instances().map(Arc::as_ref).collect();
    let first = instance::select(&config, None, &request, all).unwrap();
    assert_eq!(first.len(), 1, "the other instance is on another node: nobody has to be asked about it");
    assert_eq!(instance::select(&config, Some(&all_well(&config)), &request, first.clone()).unwrap().len(), 1);
    let nowhere = guests([(first[0].primary_node.clone(), Vec::new())]);
    assert_eq!(instance::select(&config, Some(&nowhere), &request, first).unwrap().len(), 0);
}

#[test]
fn classic_rows_have_null_and_refuse_unknown_fields() {
    let config = sample::config();
    let fields = strings(&["name", "gateway6", "free_count", "map"]);
    let classic = |fields: &[String]| {
        let request = Request { fields, filter: make_simple_filter("name", &["net1"]), style: Style::Classic };
        network::answer(&config, &request)
    };
    let rows: Value = serde_json::from_str(&classic(&fields).unwrap()).unwrap();
    assert_eq!(rows, json!([["net1", null, 12, "XXX............X"]]));
    let error = classic(&strings(&["name", "a", "b"])).unwrap_err();
    assert_eq!(error.to_json(), json!(["OpPrereqError", ["Unknown output fields selected: a, b", "wrong_input"]]));
}

#[test]
fn names_that_do_not_exist_are_refused() {
    let config = sample::config();
    let fields = strings(&["name"]);
    let error = group::answer(&config, &request(&fields, json!(["|", ["==", "name", "nix"]]))).unwrap_err();
    assert_eq!(error.to_json(), json!(["OpPrereqError", ["Node group 'nix' not known", "unknown_entity"]]));
    let error = network::answer(&config, &request(&fields, json!(["==", "nosuch", "x"]))).unwrap_err();
    assert_eq!(error.to_json(), json!(["ParameterError", ["Can't find field named 'nosuch'"]]));
}

#[test]
fn jobs_show_no_secrets_and_unknown_jobs_only_their_number() {
    let job = a_job();
    let all: Vec<String> = field::all(Resource::Job).iter().map(|field| field.name.to_string()).collect();
    let text = serde_json::to_string(&job::values(&JobRow { job, journal: None }, &all)).unwrap();
    assert!(!text.contains("hush") && !text.contains("psst") && text.contains("root_pw"), "{text}");
    let fields = strings(&["id", "status", "summary"]);
    let request = Request { fields: &fields, filter: Filter::Empty, style: Style::Classic };
    let plan = Plan::new::<job::Jobs>(&request).unwrap();
    assert_eq!(plan.answer(&job::Jobs, &[job::Found { id: JobId(9), job: job::Known::Nothing, archived: true }]), "[[9,null,null]]");
}

#[test]
fn times_of_jobs_can_be_filtered() {
    let job = a_job();
    let fields = strings(&["id"]);
    let wanted = |filter: Value| {
        let request = request(&fields, filter);
        let plan = Plan::new::<job::Jobs>(&request).unwrap();
        plan.wants(&job::Jobs, job::Found { id: job.id, job: job::Known::Whole(&job), archived: false }).unwrap()
    };
    assert!(wanted(json!([">=", "received_ts", 1_700_000_000])));
    assert!(!wanted(json!([">", "received_ts", 1_700_000_000])));
    assert!(wanted(json!(["|", ["==", "status", "running"]])));
    assert!(!wanted(json!(["|", ["==", "status", "error"]])));
}

#[test]
fn cluster_info_has_every_key_of_the_contract() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../qa/parity/luxi.json")).unwrap();
    let contract: Value = serde_json::from_str(&text).unwrap();
    let mut keys: Vec<String> = serde_json::from_value(contract["cluster_info_keys"].clone()).unwrap();
    keys.sort();
    let config = sample::config();
    let info = cluster::info(&config);
    assert_eq!(info.as_object().unwrap().keys().cloned().collect::<Vec<_>>(), keys);
    assert_eq!(info["master"], "node1.example.com");
    assert_eq!(info["default_hypervisor"], "kvm");
    assert_eq!(info["hvparams"].as_object().unwrap().len(), 1, "enabled hypervisors only");
    assert_eq!(info["hvparams"]["kvm"]["acpi"], true);
    assert_eq!(info["beparams"]["default"]["maxmem"], 128);
    assert_eq!(info["diskparams"]["rbd"]["pool"], "rbd");
}

#[test]
fn config_values_and_tags() {
    let config = sample::config();
    let status = cluster::Status { drained: true, watcher_pause: None };
    let fields = strings(&["cluster_name", "nosuch", "drain_flag", "watcher_pause", "master_node"]);
    assert_eq!(cluster::config_values(&config, status, &fields), json!(["cluster.example.com", null, true, null, "node1.example.com"]));
    assert_eq!(cluster::tags(&config, "node", "node2").unwrap(), json!(["rack:1"]));
    assert_eq!(cluster::tags(&config, "cluster", "").unwrap(), json!([]));
    assert!(cluster::tags(&config, "node", "nix").is_err());
    assert!(cluster::tags(&config, "planet", "mars").is_err());
}

#[test]
fn the_watcher_is_paused_until_its_time() {
    let mut state = crate::store::State::default();
    state.meta.insert(crate::luxi::WATCHER_PAUSE_KEY.to_owned(), "100.5".into());
    assert_eq!(cluster::Status::of(&state, Timestamp(100_000_000)).watcher_pause, Some(100.5));
    assert_eq!(cluster::Status::of(&state, Timestamp(101_000_000)).watcher_pause, None);
}

proptest::proptest! {
    #[test]
    fn the_key_sorts_as_nice_sort_does(a in "[a-b0-2é.]{0,6}", b in "[a-b0-2é.]{0,6}") {
        proptest::prop_assert_eq!(nice_key(&a).cmp(&nice_key(&b)), nice_cmp(&a, &b));
    }
}

/// RAPI's objects from texts that are kept, and from nothing: the same, whatever has changed since they were kept.
#[test]
fn kept_texts_are_as_good_as_new_ones() {
    let fields = strings(&["name", "beparams", "oper_state", "disk.sizes", "pnode", "tags", "status", "os"]);
    let request = Request { fields: &fields, filter: Filter::Empty, style: Style::Objects };
    let kept = InstanceTexts::default();
    let check = |config: &Config, live: &Guests, what: &str| {
        let mut rows: Vec<&Instance> = config.instances().map(Arc::as_ref).collect();
        sort_nicely(&mut rows, |instance| instance.name.as_str());
        let fresh: Value = serde_json::from_str(&instance::write(config, Some(live), &request, &rows).unwrap()).unwrap();
        for round in ["first", "second"] {
            let answer: Value = serde_json::from_str(&kept.answer(config, Some(live), &request).unwrap()).unwrap();
            assert_eq!(answer, fresh, "{what}, {round} time");
        }
        fresh
    };
    let mut config = sample::config();
    let fresh = check(&config, &all_well(&config), "at first");
    assert_eq!(fresh[0]["beparams"]["memory"], fresh[0]["beparams"]["maxmem"]);
    assert_eq!(fresh[0]["status"], "running");
    let fresh = check(&config, &guests([]), "no node answers");
    assert_eq!(fresh[0]["status"], "ERROR_nodedown");
    let instance = config.find_instance("inst1").unwrap().clone();
    config.put(Object::Instance(sample::change(&instance, |instance| instance.os = "other".into())));
    assert_eq!(check(&config, &all_well(&config), "an instance has changed")[0]["os"], "other");
    let disk = config.disks_of(&instance).next().unwrap().clone();
    config.put(Object::Disk(sample::change(&disk, |disk| disk.size.0 += 7)));
    assert_eq!(check(&config, &all_well(&config), "a disk has grown")[0]["disk.sizes"][0], disk.size.0 + 7);
    let node = config.node(&instance.primary_node).unwrap().clone();
    config.put(Object::Node(sample::change(&node, |node| node.name = "renamed.example.com".parse().unwrap())));
    assert_eq!(check(&config, &all_well(&config), "a node has another name")[0]["pnode"], "renamed.example.com");
    let cluster = config.cluster().clone();
    config.put(Object::Cluster(sample::change(&cluster, |cluster| {
        cluster.beparams.entry("default".into()).or_default().insert("maxmem".into(), json!(4242));
    })));
    check(&config, &all_well(&config), "the cluster has other defaults");
    config.remove(gannet_core::config::ObjectKind::Instance, instance.uuid.as_str());
    check(&config, &guests([]), "an instance is gone");
}

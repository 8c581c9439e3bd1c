//! What goes wrong around a job, on a fake cluster: refused before anything is done where that can be known, taken back where
//! not. Each time the error has Ganeti's code, names what it is about, the node, the reason and what to do, and nothing is left.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

use std::time::Duration;

use gannet_core::luxi::Method;
use gannet_qa::daemon::{MASTERD, NODED};
use gannet_qa::jobs::{self, Ended};
use gannet_qa::{Cluster, inventory, os, wait_for};
use serde_json::{Value, json};

/// The longest that anything takes; only a failure waits for it.
const SOON: Duration = Duration::from_secs(120);

fn creation(name: &str, node: &str) -> Value {
    json!({"OP_ID": "OP_INSTANCE_CREATE", "mode": "create", "instance_name": name, "disk_template": "sharedfile",
        "disks": [{"size": 16}], "nics": [], "os_type": "recording+default", "pnode": node, "hypervisor": "fake", "name_check": false,
        "ip_check": false})
}

fn with(mut op: Value, changes: Value) -> Value {
    let all = changes.as_object().unwrap().clone();
    op.as_object_mut().unwrap().extend(all);
    op
}

fn run(cluster: &Cluster, op: &Value) -> Ended {
    jobs::run(&mut cluster.luxi(), std::slice::from_ref(op), SOON).unwrap()
}

#[track_caller]
fn must(cluster: &Cluster, op: &Value) {
    let ended = run(cluster, op);
    assert_eq!(ended.status, "success", "{}", ended.text());
}

/// The job was refused with this code, with a sentence that has all `words`, and nothing was changed.
#[track_caller]
fn refused(cluster: &Cluster, op: &Value, code: &str, words: &[&str]) {
    let ended = run(cluster, op);
    is_refusal(&ended, code, words);
    clean(cluster);
}

#[track_caller]
fn is_refusal(ended: &Ended, code: &str, words: &[&str]) {
    assert_eq!(ended.status, "error", "{}", ended.text());
    let (class, arguments) = (&ended.opresult[0][0], &ended.opresult[0][1]);
    assert_eq!((class.as_str(), arguments[1].as_str()), (Some("OpPrereqError"), Some(code)), "{}", ended.text());
    says(arguments[0].as_str().unwrap_or_default(), words);
}

/// The job failed on its way, with a sentence that has all `words`, and nothing is left of it.
#[track_caller]
fn failed(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.status, "error", "{}", ended.text());
    assert_eq!(ended.opresult[0][0], "OpExecError", "{}", ended.text());
    says(ended.opresult[0][1][0].as_str().unwrap_or_default(), words);
}

#[track_caller]
fn says(message: &str, words: &[&str]) {
    println!("{message}");
    for word in words {
        assert!(message.to_lowercase().contains(&word.to_lowercase()), "«{word}» is not said: {message}");
    }
}

#[track_caller]
fn clean(cluster: &Cluster) {
    let odd = inventory::odd(cluster);
    assert!(odd.is_empty(), "{odd:#?}");
    cluster.line("gnt-cluster verify").ok();
}

#[test]
fn what_can_be_known_is_refused_with_ganetis_code() {
    let cluster = Cluster::fake(2);
    let two = &cluster.nodes[1].name;
    let new = |changes| with(creation("new", two), changes);
    let refuse = |changes, code, words: &[&str]| refused(&cluster, &new(changes), code, words);

    must(&cluster, &creation("taken", two));
    refused(&cluster, &creation("taken", two), "already_exists", &["taken", "already in the cluster"]);
    refuse(json!({"beparams": {"memory": 31 * 1024}}), "insufficient_resources", &["not enough memory", two, "new", "31", "available"]);
    refuse(json!({"beparams": {"memory": 99 * 1024}}), "wrong_input", &["violates policy", "memory-size", "default"]);
    refuse(json!({"disks": [{"size": 9_000_000}]}), "wrong_input", &["violates policy", "disk-size"]);
    refuse(json!({"disks": [{"size": 1_000_000}]}), "insufficient_resources", &["disk space", two, "shared-file-storage", "available"]);
    refuse(json!({"pnode": "nowhere"}), "unknown_entity", &["nowhere"]);
    refuse(json!({"os_type": "recording+strange"}), "wrong_input", &["recording", "strange", two]);
    refuse(json!({"osparams": {"size": "1"}}), "wrong_input", &["size", "recording", two]);
    refuse(json!({"nics": [{"mode": "sideways"}]}), "wrong_input", &["sideways"]);
    refused(&cluster, &json!({"OP_ID": "OP_INSTANCE_STARTUP", "instance_name": "nobody"}), "unknown_entity", &["nobody"]);
    refused(&cluster, &json!({"OP_ID": "OP_INSTANCE_REINSTALL", "instance_name": "taken"}), "wrong_state", &["taken", "can't reinstall"]);
    let gone = json!({"OP_ID": "OP_NODE_REMOVE", "node_name": two});
    refused(&cluster, &gone, "wrong_input", &["taken"]);
    must(&cluster, &new(json!({})));
}

#[test]
fn an_os_that_one_node_does_not_have() {
    let cluster = Cluster::fake(2);
    let (one, two) = (&cluster.nodes[0].name, &cluster.nodes[1]);
    let definition = cluster.at(two, "/srv/ganeti/os/recording");
    let aside = cluster.at(two, "/srv/ganeti/aside");
    std::fs::rename(&definition, &aside).unwrap();
    is_refusal(&run(&cluster, &creation("new", &two.name)), "wrong_input", &["recording", &two.name, "not found"]);
    assert_eq!(inventory::odd(&cluster), Vec::<String>::new());
    must(&cluster, &creation("new", one));
    std::fs::rename(&aside, &definition).unwrap();
    must(&cluster, &creation("other", &two.name));
    clean(&cluster);
}

/// Two creations of one name, in one write: one of them gets it.
#[test]
fn one_name_twice_at_once() {
    let cluster = Cluster::fake(2);
    let pair: Vec<Value> = cluster.nodes.iter().map(|node| json!([creation("twin", &node.name)])).collect();
    let mut luxi = cluster.luxi();
    let answers = luxi.call(Method::SubmitManyJobs, &json!([pair])).unwrap();
    let ids: Vec<u64> = answers.as_array().unwrap().iter().map(|answer| jobs::id(&answer[1]).unwrap()).collect();
    let ended: Vec<Ended> = ids.into_iter().map(|id| jobs::wait(&mut luxi, id, SOON).unwrap()).collect();
    let (won, lost): (Vec<&Ended>, Vec<&Ended>) = ended.iter().partition(|ended| ended.status == "success");
    assert_eq!((won.len(), lost.len()), (1, 1), "{ended:#?}");
    is_refusal(lost[0], "already_exists", &["twin"]);
    clean(&cluster);
}

#[test]
fn os_scripts_that_fail_and_that_hang() {
    let cluster = Cluster::fake(2);
    let two = &cluster.nodes[1];
    let broken = with(creation("new", &two.name), json!({"os_type": format!("{}+default", os::BROKEN)}));
    failed(&run(&cluster, &broken), &["could not add os for instance new", &two.name, os::COMPLAINT, "exit code 1", "the log file: "]);
    clean(&cluster);

    let master = cluster.daemon(cluster.master(), MASTERD);
    master.stop();
    master.try_start(&[("GANNET_OS_SCRIPT_TIMEOUT", "1")]).unwrap();
    std::fs::write(cluster.at(two, "/srv/ganeti/hold"), "").unwrap();
    let hanging = with(creation("new", &two.name), json!({"os_type": format!("{}+default", os::WAITING)}));
    failed(&run(&cluster, &hanging), &["instance new", &two.name, "ran longer than 1 s", "the log file: "]);
    clean(&cluster);
    must(&cluster, &creation("new", &two.name));
}

/// A node that stands still: who needs it is told so, the others go on meanwhile.
#[test]
fn a_node_that_does_not_answer() {
    let cluster = Cluster::fake(3);
    let (two, three) = (&cluster.nodes[1], &cluster.nodes[2]);
    must(&cluster, &creation("here", &two.name));
    must(&cluster, &creation("there", &three.name));
    let agent = cluster.daemon(three, NODED);
    agent.freeze();
    let mut luxi = cluster.luxi();
    let stop = |name: &str| json!({"OP_ID": "OP_INSTANCE_SHUTDOWN", "instance_name": name, "timeout": 0});
    let held = jobs::submit(&mut luxi, &[stop("there")]).unwrap();
    let new = jobs::submit(&mut luxi, &[creation("new", &three.name)]).unwrap();
    must(&cluster, &stop("here"));
    must(&cluster, &json!({"OP_ID": "OP_INSTANCE_STARTUP", "instance_name": "here"}));
    assert_eq!(jobs::status(&mut luxi, held).unwrap(), "running", "the node that stands still has answered");
    is_refusal(&jobs::wait(&mut luxi, new, SOON).unwrap(), "environment_error", &[&three.name]);
    failed(&jobs::wait(&mut luxi, held, SOON).unwrap(), &["could not shutdown instance", &three.name, "does gannet-noded run there?"]);
    agent.thaw();
    // What it was told before it stood still it may still do: to say it again settles it.
    wait_for("the node's answer", SOON, || (run(&cluster, &stop("there")).status == "success").then_some(())).unwrap();
    clean(&cluster);
}

#[test]
fn a_node_without_its_agent() {
    let cluster = Cluster::fake(3);
    let (two, three) = (&cluster.nodes[1], &cluster.nodes[2]);
    must(&cluster, &creation("here", &two.name));
    must(&cluster, &creation("there", &three.name));
    let agent = cluster.daemon(three, NODED);
    agent.kill9();
    let told = [three.name.as_str(), "connection refused", "does gannet-noded run there?"];
    is_refusal(&run(&cluster, &creation("new", &three.name)), "environment_error", &told);
    let away = |op: &str| json!({"OP_ID": op, "instance_name": "here", "target_node": three.name});
    is_refusal(&run(&cluster, &away("OP_INSTANCE_MIGRATE")), "environment_error", &told);
    is_refusal(&run(&cluster, &away("OP_INSTANCE_FAILOVER")), "environment_error", &told);
    let back = json!({"OP_ID": "OP_INSTANCE_FAILOVER", "instance_name": "there", "target_node": two.name});
    failed(&run(&cluster, &back), &["there", &three.name, "connection refused", "gnt-node modify --offline=yes"]);
    must(&cluster, &json!({"OP_ID": "OP_INSTANCE_REBOOT", "instance_name": "here", "reboot_type": "hard"}));
    agent.start();
    wait_for("the node's answer", SOON, || (run(&cluster, &back).status == "success").then_some(())).unwrap();
    clean(&cluster);
}

//! Many operators at once, who do this and that, and remember what they were promised.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gannet_core::luxi::Method;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::operator::{Answer, Operator};
use crate::state::state;

/// A client waits this long for a job before it does something else, in looks.
const LOOKS: u32 = 100;

/// What an operator knows of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    There,
    Gone,
    /// The last operation on it may or may not have happened.
    Open,
}

/// What all operators were told.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Jobs that were acknowledged, with what they do.
    pub(crate) jobs: BTreeMap<u64, String>,
    /// How they ended, as far as somebody was told.
    pub(crate) ends: BTreeMap<u64, String>,
    pub(crate) tags: BTreeMap<String, Known>,
    pub(crate) instances: BTreeMap<String, Known>,
    pub(crate) submitted: u64,
    pub(crate) unknown: u64,
    /// Contradictions that a client saw by itself.
    pub(crate) wrong: Vec<String>,
    /// Clients that have ended.
    pub(crate) done: usize,
}

pub(crate) type Shared = Arc<Mutex<History>>;

pub(crate) fn lock(history: &Shared) -> std::sync::MutexGuard<'_, History> {
    history.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One operator, until the simulation winds down.
pub(crate) async fn client(number: u64, seed: u64, operator: Operator, nodes: Vec<String>, history: Shared) {
    let mut client = Client { number, rng: StdRng::seed_from_u64(seed), operator, nodes, history, made: 0, own: BTreeSet::new() };
    while !state().winding_down {
        client.step().await;
        let pause = client.rng.random_range(0..400);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    lock(&client.history).done += 1;
}

struct Client {
    number: u64,
    rng: StdRng,
    operator: Operator,
    nodes: Vec<String>,
    history: Shared,
    made: u64,
    /// Instances and tags of this client; nobody else changes whether they are there.
    own: BTreeSet<String>,
}

enum What {
    Tag(String, Known),
    Instance(String, Known),
    Other,
}

impl Client {
    async fn step(&mut self) {
        let Some((opcode, what)) = self.choose() else { return };
        let described = format!("{} {}", opcode["OP_ID"].as_str().unwrap_or_default(), opcode["instance_name"]);
        self.note(&what, None);
        lock(&self.history).submitted += 1;
        let Some(taken) = self.operator.submit(&[opcode]).await else {
            lock(&self.history).unknown += 1;
            return;
        };
        let job = match taken {
            Ok(job) => job,
            Err(why) => {
                // Refused before it was a job: nothing has happened, but two masters must not fight for a number.
                if why.contains("was changed by another job") {
                    lock(&self.history).wrong.push(why);
                }
                return;
            }
        };
        if state().log {
            eprintln!("job {job} {described}: taken");
        }
        if lock(&self.history).jobs.insert(job, described).is_some() {
            lock(&self.history).wrong.push(format!("job {job} was given to two submissions"));
        }
        if self.rng.random_ratio(1, 12) {
            // The outcome stays open; the job must still end.
            let _ = self.operator.call(Method::CancelJob, &json!([job])).await;
        }
        for _ in 0..LOOKS {
            match self.operator.status(job).await.as_deref() {
                Some(status @ ("success" | "error" | "canceled")) => {
                    let status = status.to_owned();
                    if state().log {
                        eprintln!("job {job} {}: {status}", lock(&self.history).jobs[&job]);
                    }
                    self.note(&what, Some(status == "success"));
                    lock(&self.history).ends.insert(job, status);
                    return;
                }
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// `end`: none before it is known, then whether it succeeded.
    fn note(&self, what: &What, end: Option<bool>) {
        let mut history = lock(&self.history);
        let (map, name, after) = match what {
            What::Tag(name, after) => (&mut history.tags, name, *after),
            What::Instance(name, after) => (&mut history.instances, name, *after),
            What::Other => return,
        };
        let known = match end {
            Some(true) => after,
            // A failed job was taken back; a removal may be half done and is to be repeated.
            Some(false) | None => Known::Open,
        };
        map.insert(name.clone(), known);
    }

    fn choose(&mut self) -> Option<(Value, What)> {
        let node = |rng: &mut StdRng, nodes: &[String]| nodes[rng.random_range(0..nodes.len())].clone();
        let own: Vec<String> = self.own.iter().filter(|name| name.contains('.')).cloned().collect();
        let mine = (!own.is_empty()).then(|| own[self.rng.random_range(0..own.len())].clone());
        let reason = json!([["sim", format!("client {}", self.number), 0]]);
        let mut choice = match (self.rng.random_range(0..100), mine) {
            (0..20, _) => {
                self.made += 1;
                let tag = format!("t{}-{}", self.number, self.made);
                self.own.insert(tag.clone());
                (json!({"OP_ID": "OP_TAGS_SET", "kind": "cluster", "name": null, "tags": [tag]}), What::Tag(tag, Known::There))
            }
            (20..26, _) => {
                let tags: Vec<String> = self.own.iter().filter(|name| !name.contains('.')).cloned().collect();
                let tag = tags.get(self.rng.random_range(0..tags.len().max(1)))?.clone();
                self.own.remove(&tag);
                (json!({"OP_ID": "OP_TAGS_DEL", "kind": "cluster", "name": null, "tags": [tag]}), What::Tag(tag, Known::Gone))
            }
            (26..36, _) => (
                json!({"OP_ID": "OP_TEST_DELAY", "duration": self.rng.random_range(0.0..2.0), "on_master": true,
                    "on_nodes": [node(&mut self.rng, &self.nodes)], "repeat": 0}),
                What::Other,
            ),
            (36..55, _) | (_, None) => {
                self.made += 1;
                let name = format!("i{}-{}.sim.example", self.number, self.made);
                self.own.insert(name.clone());
                let template = if self.rng.random_bool(0.7) { "sharedfile" } else { "file" };
                let create = json!({"OP_ID": "OP_INSTANCE_CREATE", "mode": "create", "instance_name": name, "disk_template": template,
                    "disks": [{"size": 4}], "nics": [], "os_type": "none", "no_install": true, "pnode": node(&mut self.rng, &self.nodes),
                    "hypervisor": "fake", "name_check": false, "ip_check": false, "start": self.rng.random_bool(0.7), "wait_for_sync": true});
                (create, What::Instance(name, Known::There))
            }
            (55..63, Some(name)) => {
                self.own.remove(&name);
                let remove = json!({"OP_ID": "OP_INSTANCE_REMOVE", "instance_name": name, "ignore_failures": false, "shutdown_timeout": 5});
                (remove, What::Instance(name, Known::Gone))
            }
            (63..73, Some(name)) => (json!({"OP_ID": "OP_INSTANCE_STARTUP", "instance_name": name}), What::Other),
            (73..80, Some(name)) => (json!({"OP_ID": "OP_INSTANCE_SHUTDOWN", "instance_name": name, "timeout": 5}), What::Other),
            (80..90, Some(name)) => {
                let target = node(&mut self.rng, &self.nodes);
                (json!({"OP_ID": "OP_INSTANCE_MIGRATE", "instance_name": name, "target_node": target}), What::Other)
            }
            (_, Some(name)) => {
                let target = node(&mut self.rng, &self.nodes);
                let failover =
                    json!({"OP_ID": "OP_INSTANCE_FAILOVER", "instance_name": name, "target_node": target, "shutdown_timeout": 5});
                (failover, What::Other)
            }
        };
        choice.0["reason"] = reason;
        Some(choice)
    }
}

/// What must hold in the end.
pub(crate) async fn judge(
    mut operator: Operator,
    history: Shared,
    files: Vec<(String, BTreeSet<String>)>,
    power_was_lost: bool,
) -> Result<(), String> {
    let known: BTreeMap<u64, String> = {
        let rows = operator.ask(Method::QueryJobs, &json!([null, ["id", "status"]])).await?;
        let rows = rows.as_array().cloned().unwrap_or_default();
        rows.iter().filter_map(|row| Some((crate::operator::number(&row[0])?, row[1].as_str()?.to_owned()))).collect()
    };
    let instances = operator.ask(Method::QueryInstances, &json!([[], ["name", "status", "pnode"], false])).await?;
    let down = |row: &&Value| row[1] == "ERROR_down";
    let down: Vec<Value> = instances.as_array().into_iter().flatten().filter(down).map(|row| row[0].clone()).collect();
    let instances: BTreeSet<String> =
        instances.as_array().into_iter().flatten().filter_map(|row| row[0].as_str().map(str::to_owned)).collect();
    let tags = operator.ask(Method::QueryTags, &json!(["cluster", ""])).await?;
    let tags: BTreeSet<String> = tags.as_array().into_iter().flatten().filter_map(|tag| tag.as_str().map(str::to_owned)).collect();
    let mut wrong = Vec::new();
    {
        let history = lock(&history);
        for (job, what) in &history.jobs {
            match known.get(job) {
                None => wrong.push(format!("job {job} ({what}) was acknowledged and is lost")),
                Some(status) if !crate::operator::is_final(status) => wrong.push(format!("job {job} ({what}) never ends: {status}")),
                Some(status) => {
                    if let Some(told) = history.ends.get(job).filter(|told| *told != status) {
                        wrong.push(format!("job {job} ({what}) was said to be {told}, and is {status}"));
                    }
                }
            }
        }
        let mut compare = |kind: &str, all: &BTreeMap<String, Known>, there: &BTreeSet<String>| {
            for (name, known) in all {
                match (known, there.contains(name)) {
                    (Known::There, false) => wrong.push(format!("{kind} {name} was made, and has vanished")),
                    (Known::Gone, true) => wrong.push(format!("{kind} {name} was removed, and is back")),
                    _ => {}
                }
            }
        };
        compare("tag", &history.tags, &tags);
        compare("instance", &history.instances, &instances);
    }
    for (place, names) in files {
        for name in names.difference(&instances) {
            wrong.push(format!("{place} has something of {name}, which is no instance"));
        }
    }
    if !down.is_empty() && !power_was_lost {
        wrong.push(format!("{down:?} do not run, though no machine lost its power"));
    }
    for name in down {
        // Guests of a machine that lost its power: what the watcher does.
        let started = operator.run(json!({"OP_ID": "OP_INSTANCE_STARTUP", "instance_name": name})).await;
        wrong.extend(started.err());
    }
    let verified = operator.run(json!({"OP_ID": "OP_CLUSTER_VERIFY"})).await?;
    let jobs = verified["jobs"].as_array().cloned().unwrap_or_default();
    for job in jobs.iter().filter_map(|entry| crate::operator::number(&entry[1])) {
        operator.wait(job).await;
        let rows = operator.ask(Method::QueryJobs, &json!([[job], ["opresult", "oplog"]])).await?;
        let text = rows[0][1].to_string();
        for line in text.split("\"]").filter(|line| line.contains("ERROR")) {
            wrong.push(format!("verify: {}", &line[line.find("ERROR").unwrap_or_default()..]));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Whether nobody waits for anything any more.
pub(crate) async fn all_ended(operator: &mut Operator) -> bool {
    let Answer::Said(rows) = operator.call(Method::QueryJobs, &json!([null, ["status"]])).await else { return false };
    let ended = |row: &Value| row[0].as_str().is_some_and(crate::operator::is_final);
    rows.as_array().is_some_and(|rows| rows.iter().all(ended))
}

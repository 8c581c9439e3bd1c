//! The machine of the master dies at the steps of a creation; another node goes on or takes it back.
//!
//! `GANNET_EVERY` says which part of the steps is tried, by default each third, beginning with a step that `GANNET_SEED` chooses.

use std::time::Duration;

use gannet_core::luxi::{Client, Method};
use gannet_qa::daemon::{CONFD, MASTERD, NODED, RAPI};
use gannet_qa::fault::{Fault, Verb};
use gannet_qa::{Cluster, inventory, jobs, wait_for};
use serde_json::{Value, json};

use crate::{SOON, creation, kill, master, three};

/// More places than a creation passes.
const MANY: u64 = 1_000_000;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text}")))
}

struct Lab<'c> {
    cluster: &'c Cluster,
    /// The master daemons, by node.
    masters: Vec<Fault<'c>>,
}

impl<'c> Lab<'c> {
    fn new(cluster: &'c Cluster) -> Self {
        let masters = cluster.nodes.iter().map(|node| Fault::start(cluster.daemon(node, MASTERD))).collect();
        let lab = Self { cluster, masters };
        lab.find_master(&[0, 1, 2]);
        lab
    }

    /// Which of these nodes is the master; commands go there from now on.
    #[track_caller]
    fn find_master(&self, among: &[usize]) -> usize {
        let (at, _) = master(self.cluster, among);
        self.cluster.set_master(at);
        at
    }

    #[track_caller]
    fn run(&self, op: &Value) -> jobs::Ended {
        jobs::run(&mut self.cluster.luxi(), std::slice::from_ref(op), SOON).unwrap()
    }

    #[track_caller]
    fn remove(&self) {
        let op =
            json!({"OP_ID": "OP_INSTANCE_REMOVE", "instance_name": "web1.example.com", "ignore_failures": false, "shutdown_timeout": 5});
        let ended = self.run(&op);
        assert_eq!(ended.status, "success", "{}", ended.text());
    }

    /// Starts the node's daemons after its death, as a machine does that comes back.
    #[track_caller]
    fn boot(&self, at: usize) {
        let node = &self.cluster.nodes[at];
        [CONFD, NODED].iter().for_each(|name| self.cluster.daemon(node, name).start());
        self.masters[at].restart();
        self.cluster.daemon(node, RAPI).start();
    }
}

#[test]
fn the_masters_machine_dies_at_the_steps_of_a_creation() {
    let cluster = three();
    let lab = Lab::new(&cluster);
    let mut at = lab.find_master(&[0, 1, 2]);
    lab.masters[at].arm(Verb::Kill, MANY);
    let op = creation("web1.example.com", &cluster.nodes[(at + 1) % 3].name);
    let ended = lab.run(&op);
    assert_eq!(ended.status, "success", "{}", ended.text());
    let count = MANY - lab.masters[at].disarm();
    lab.remove();
    let (every, seed) = (number("GANNET_EVERY", 3).max(1), number("GANNET_SEED", 1));
    println!("{count} places, one of {every}, seed {seed}");
    let (mut whole, mut undone, mut never) = (0, 0, 0);
    for place in (1..=count).filter(|place| place % every == seed % every) {
        let op = creation("web1.example.com", &cluster.nodes[(at + 1) % 3].name);
        lab.masters[at].arm(Verb::Stop, place);
        let socket = cluster.nodes[at].luxi_socket.clone();
        let submission = std::thread::spawn(move || jobs::submit(&mut Client::connect(&socket).ok()?, &[op]).ok());
        let reached = wait_for("the place", SOON, || lab.masters[at].hit()).unwrap_or_else(|error| panic!("{place} of {count}: {error:#}"));
        let what = format!("place {place} of {count} ({reached})");
        kill(&cluster, &cluster.nodes[at]);
        let others: Vec<usize> = (0..3).filter(|other| *other != at).collect();
        let id = submission.join().unwrap();
        let dead = at;
        at = lab.find_master(&others);
        let name = "web1.example.com";
        let mut client = cluster.luxi();
        let rows = client.call(Method::QueryJobs, &json!([null, ["id", "summary"]])).unwrap();
        let newest =
            rows.as_array().into_iter().flatten().filter(|row| row[1].to_string().contains(name)).filter_map(|row| jobs::id(&row[0]).ok());
        let newest = newest.filter(|id| jobs::status(&mut cluster.luxi(), *id).is_ok()).max();
        assert!(id.is_none() || newest >= id, "{what}: an acknowledged job is lost");
        let ended = newest.map(|id| jobs::wait(&mut client, id, SOON).unwrap());
        lab.boot(dead);
        wait_for(&what, Duration::from_secs(30), || inventory::odd(&cluster).is_empty().then_some(()))
            .unwrap_or_else(|error| panic!("{error:#}: {:#?}", inventory::odd(&cluster)));
        let there = inventory::records(&cluster).contains_key(name);
        match ended {
            Some(ended) if there => {
                assert_eq!(ended.status, "success", "{what}: {}", ended.text());
                whole += 1;
                lab.remove();
            }
            Some(ended) if ended.status == "error" => {
                assert!(ended.text().contains("master daemon stopped"), "{what}: the log does not say it: {}", ended.text());
                undone += 1;
            }
            // The newest job about it is an earlier removal or failure: this one was never accepted.
            _ => never += 1,
        }
        let _ = cluster.on(&cluster.nodes[at], "gnt-cluster", &["verify"]).ok();
    }
    println!("{whole} went on or were done, {undone} were taken back, {never} had never begun");
    assert!(whole + undone > 0);
}

//! A cluster whose daemons can be made to die at any place, and what must be so afterwards.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use gannet_core::luxi::{self, Method};
use gannet_qa::cluster::Node;
use gannet_qa::daemon::{CONFD, MASTERD, NODED};
use gannet_qa::fault::{Fault, Verb};
use gannet_qa::jobs::{self, Ended};
use gannet_qa::{Cluster, inventory, wait_for};
use serde_json::{Value, json};

/// The longest that anything here takes; only a failure waits for it.
pub(crate) const SOON: Duration = Duration::from_secs(60);
/// How long one look at the jobs may take, in seconds: the daemon may have come to stand still just then.
const LOOK_S: u64 = 5;
/// More places than an operation passes.
const MANY: u64 = 1_000_000;

/// Who dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    /// The master daemon.
    Master,
    /// The store.
    Store,
    /// The agent of a node, by the node's index.
    Agent(usize),
    /// All daemons of all nodes at once, at a place of the master daemon.
    All,
}

/// The cluster, its daemons started so that they can be made to die.
pub(crate) struct Lab<'c> {
    pub(crate) cluster: &'c Cluster,
    master: Fault<'c>,
    store: Fault<'c>,
    agents: Vec<Fault<'c>>,
}

/// What became of a job.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The daemon died before the job was accepted: there is none.
    Never,
    /// It ended.
    Job(Ended),
}

impl<'c> Lab<'c> {
    pub(crate) fn new(cluster: &'c Cluster) -> Self {
        let master = Fault::start(cluster.daemon(cluster.master(), MASTERD));
        let store = Fault::start(cluster.daemon(cluster.master(), CONFD));
        let agents = cluster.nodes.iter().map(|node| Fault::start(cluster.daemon(node, NODED))).collect();
        let lab = Self { cluster, master, store, agents };
        wait_for("the master daemon", SOON, || {
            let mut client = luxi::Client::connect(&lab.cluster.master().luxi_socket).ok()?;
            ids(&mut client).ok()
        })
        .unwrap();
        lab
    }

    pub(crate) fn node(&self, index: usize) -> &Node {
        &self.cluster.nodes[index]
    }

    pub(crate) fn is_member(&self, node: usize) -> bool {
        let names = self.cluster.luxi().call(Method::QueryNodes, &json!([[], ["name"], false])).unwrap();
        names.as_array().into_iter().flatten().any(|row| row[0] == self.node(node).name.as_str())
    }

    /// Lets a node join that has left.
    #[track_caller]
    pub(crate) fn join(&self, node: usize) {
        if self.is_member(node) {
            return;
        }
        let node = self.node(node);
        let mut luxi = self.cluster.luxi();
        let token = luxi.call(Method::CreateJoinToken, &json!([node.name, {}])).unwrap();
        self.cluster.on(node, "gannet-noded", &["join", token["token"].as_str().unwrap()]).ok();
        let job = wait_for("the joining node's job", SOON, || {
            let status = luxi.call(Method::JoinStatus, &json!([token["id"]])).unwrap();
            jobs::id(&status["job"]).ok()
        });
        let ended = jobs::wait(&mut luxi, job.unwrap(), SOON).unwrap();
        assert_eq!(ended.status, "success", "{}", ended.text());
    }

    /// Runs a job that must succeed, with the jobs that it submits; how those ended.
    #[track_caller]
    pub(crate) fn must(&self, op: &Value) -> Vec<Ended> {
        let mut luxi = self.cluster.luxi();
        let ended = jobs::run(&mut luxi, std::slice::from_ref(op), SOON).unwrap();
        assert_eq!(ended.status, "success", "{op}: {}", ended.text());
        let mut follow = |job: &Value| {
            let ended = jobs::wait(&mut luxi, jobs::id(&job[1]).unwrap(), SOON).unwrap();
            assert_eq!(ended.status, "success", "a job of {op}: {}", ended.text());
            ended
        };
        ended.opresult[0]["jobs"].as_array().into_iter().flatten().map(&mut follow).collect()
    }

    /// The number of places that the victim passes in `op`, which must succeed.
    #[track_caller]
    pub(crate) fn places(&self, victim: Victim, op: &Value) -> u64 {
        let fault = self.fault(victim);
        fault.arm(Verb::Kill, MANY);
        self.must(op);
        MANY - fault.disarm()
    }

    /// Submits `op` and lets the victim die at its `number`-th place. What it was, if it was reached, and what became of
    /// the job when everything ran again.
    #[track_caller]
    pub(crate) fn crash(&self, victim: Victim, number: u64, op: &Value) -> (Option<String>, Outcome) {
        let before = ids(&mut self.cluster.luxi()).unwrap().into_iter().max().unwrap_or(0);
        let watch = UnixStream::connect(&self.cluster.master().luxi_socket).unwrap();
        let fault = self.fault(victim);
        fault.arm(if victim == Victim::All { Verb::Stop } else { Verb::Kill }, number);
        // It may find its daemon dead, or wait for one that stands still: what counts is what follows.
        let (socket, submitted) = (self.cluster.master().luxi_socket.clone(), op.clone());
        let submission = std::thread::spawn(move || jobs::submit(&mut luxi::Client::connect(&socket).ok()?, &[submitted]).ok());
        let place = wait_for("the fault, or the job's end", SOON, || {
            if let Some(place) = fault.hit() {
                return Some(Some(place));
            }
            let mut luxi = luxi::Client::connect(&self.cluster.master().luxi_socket).ok()?;
            (ids(&mut luxi).ok()?.into_iter().any(|id| id > before) && all_ended(&mut luxi, before)?).then_some(None)
        })
        .unwrap_or_else(|error| panic!("{victim:?} at {number}, {op}: {error:#}"));
        // The job may have ended just because the victim is about to die.
        let place = place.or_else(|| (fault.disarm() == 0).then(|| wait_for("the fault", SOON, || fault.hit()).unwrap()));
        if place.is_some() {
            self.revive(victim);
        }
        let _ = submission.join();
        if victim == Victim::Store && place.is_some() {
            // The master daemon begins anew when it notices that its store was away; what it says before that does not count.
            watch.set_read_timeout(Some(SOON)).unwrap();
            assert_eq!((&watch).read(&mut [0]).unwrap(), 0, "the master daemon goes on without its store");
        }
        let first = wait_for("the end of all jobs", SOON, || {
            let mut luxi = luxi::Client::connect(&self.cluster.master().luxi_socket).ok()?;
            all_ended(&mut luxi, before)?.then_some(())?;
            Some(ids(&mut luxi).ok()?.into_iter().filter(|id| *id > before).min().map(|id| jobs::ended(&mut luxi, id)))
        });
        match first.unwrap_or_else(|error| panic!("{victim:?} at {place:?}, {op}: {error:#}")) {
            None => (place, Outcome::Never),
            Some(ended) => (place, Outcome::Job(ended.unwrap())),
        }
    }

    /// Nothing is wrong in the cluster.
    #[track_caller]
    pub(crate) fn sound(&self, what: &str) {
        // Agents may still be writing what the end of the job has told them.
        let clean = wait_for("nothing odd", Duration::from_secs(10), || inventory::odd(self.cluster).is_empty().then_some(()));
        if clean.is_err() {
            panic!("{what}: {:#?}", inventory::odd(self.cluster));
        }
        let jobs = self.must(&json!({"OP_ID": "OP_CLUSTER_VERIFY"}));
        let said: String = jobs.iter().map(Ended::text).collect();
        assert!(jobs.iter().all(|job| job.opresult == json!([true])), "{what}: {said}");
    }

    fn fault(&self, victim: Victim) -> &Fault<'c> {
        match victim {
            Victim::Master | Victim::All => &self.master,
            Victim::Store => &self.store,
            Victim::Agent(index) => &self.agents[index],
        }
    }

    fn revive(&self, victim: Victim) {
        if victim != Victim::All {
            return self.fault(victim).restart();
        }
        let all = || std::iter::once(&self.store).chain(&self.agents).chain([&self.master]);
        all().for_each(|fault| fault.daemon().kill9());
        all().for_each(Fault::restart);
    }
}

fn ids(client: &mut luxi::Client) -> anyhow::Result<Vec<u64>> {
    let rows = client.call_within(Method::QueryJobs, &json!([null, ["id"]]), LOOK_S)?;
    Ok(rows.as_array().into_iter().flatten().filter_map(|row| jobs::id(&row[0]).ok()).collect())
}

/// Whether all jobs after `before` have ended; `None` when nobody answers.
fn all_ended(client: &mut luxi::Client, before: u64) -> Option<bool> {
    let rows = client.call_within(Method::QueryJobs, &json!([null, ["id", "status"]]), LOOK_S).ok()?;
    let mut newer = rows.as_array()?.iter().filter(|row| jobs::id(&row[0]).is_ok_and(|id| id > before));
    Some(newer.all(|row| row[1].as_str().is_some_and(jobs::is_final)))
}

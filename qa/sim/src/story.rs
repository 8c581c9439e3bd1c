//! One schedule, from a new cluster to the judgement.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use gannet_core::luxi::Method;
use gannet_daemon::world::Mistake;
use serde_json::{Value, json};

use crate::chaos::Chaos;
use crate::clients::{self, History, Shared, client, judge, lock};
use crate::machine::{Daemon, Exit};
use crate::operator::Operator;
use crate::simulation::Simulation;
use crate::state::state;

/// How a schedule is made.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) nodes: usize,
    pub(crate) clients: u64,
    /// How long things break, in seconds of the simulated time.
    pub(crate) chaos_s: u64,
    pub(crate) mistake: Option<Mistake>,
}

/// What one schedule did.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) jobs: usize,
    pub(crate) ended_well: usize,
    pub(crate) harms: usize,
    pub(crate) masters: usize,
    pub(crate) calls: u64,
    pub(crate) simulated_s: u64,
    pub(crate) digest: u64,
    /// Syncs of databases, and changes that losses of power took away.
    pub(crate) disk: (u64, u64),
}

/// After the last misfortune everything must be at rest within this, in microseconds.
const REST_US: u64 = 600_000_000;
const SETUP_US: u64 = 120_000_000;

/// Runs one schedule.
///
/// # Errors
/// What must never happen has happened, or things did not come to rest.
pub(crate) fn run(plan: &Plan, dir: &Path) -> Result<Report> {
    let mut simulation = Simulation::new(dir, plan.seed, plan.nodes, plan.mistake)?;
    simulation.bootstrap(plan.nodes.min(3))?;
    let sockets = (0..plan.nodes).map(|index| simulation.machines[index].paths().query_socket()).collect::<Vec<_>>();
    let operator = Operator::new(sockets);
    join_all(&mut simulation, &operator, plan.nodes)?;
    let history: Shared = Arc::new(Mutex::new(History::default()));
    let names: Vec<String> = simulation.machines[..plan.nodes].iter().map(|machine| machine.name.clone()).collect();
    begin_clients(&mut simulation, plan, &operator, &names, &history)?;
    let mut chaos = Chaos::new();
    let end = state().now + plan.chaos_s * 1_000_000;
    while state().now < end {
        simulation.tick();
        chaos.step(&mut simulation);
        sound()?;
    }
    chaos.end(&mut simulation);
    state().winding_down = true;
    simulation.say("everything is whole again");
    let everybody = usize::try_from(plan.clients)?;
    simulation.until("the clients have ended", REST_US, |_| lock(&history).done == everybody)?;
    let mut asking = operator.clone();
    ask(&mut simulation, "all jobs have ended", async move {
        while !clients::all_ended(&mut asking).await {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    })?;
    // Guests and files are looked at when nothing is under way any more.
    simulation.pass(5_000_000);
    let files = leftovers(&simulation);
    let verdict = ask(&mut simulation, "the judgement", judge(operator, history.clone(), files, chaos.power_lost))?;
    sound()?;
    let wrong = std::mem::take(&mut lock(&history).wrong);
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    if let Err(wrong) = verdict {
        bail!("{wrong}");
    }
    let history = lock(&history);
    let state = state();
    Ok(Report {
        jobs: history.jobs.len(),
        ended_well: history.ends.values().filter(|end| *end == "success").count(),
        harms: chaos.count,
        masters: state.observed.masters(),
        calls: state.observed.obeyed,
        simulated_s: state.now / 1_000_000,
        digest: state.observed.digest,
        disk: crate::disk::counts(),
    })
}

/// Nothing that must never happen was seen so far.
fn sound() -> Result<()> {
    let wrong = std::mem::take(&mut state().observed.wrong);
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let panics = std::mem::take(&mut *PANICS.lock().unwrap_or_else(PoisonError::into_inner));
    ensure!(panics.is_empty(), "{}", panics.join("\n"));
    Ok(())
}

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on a panic of any task is a broken promise.
pub(crate) fn watch_panics() {
    std::panic::set_hook(Box::new(|info| {
        PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(format!("panic: {info}"));
    }));
}

/// Adds the other machines, as operators do it.
fn join_all(simulation: &mut Simulation, operator: &Operator, nodes: usize) -> Result<()> {
    for index in 1..nodes {
        let name = simulation.machines[index].name.clone();
        let mut asking = operator.clone();
        let args = json!([name, {}]);
        let made = ask(simulation, "a token", async move { asking.ask(Method::CreateJoinToken, &args).await })?;
        let made = made.map_err(anyhow::Error::msg)?;
        let (id, token) = (made["id"].clone(), made["token"].as_str().context("no token")?.to_owned());
        let paths = simulation.machines[index].paths();
        let now = state().now;
        simulation.machines[index].start(Daemon::Join, now, async move {
            let joined = async {
                let token = token.parse()?;
                gannet_noded::join::become_member(&paths, &token, false).await
            };
            match joined.await {
                Ok(_) => Exit::Done,
                Err(error) => Exit::Failed(error.to_string()),
            }
        })?;
        simulation.until("joined", SETUP_US, |simulation| !simulation.machines[index].processes.contains_key(&Daemon::Join))?;
        let now = state().now;
        simulation.start(index, Daemon::Noded, now);
        let mut asking = operator.clone();
        let added = ask(simulation, "a new node", async move {
            loop {
                let seen = asking.ask(Method::JoinStatus, &json!([id])).await?;
                if let Some(job) = crate::operator::number(&seen["job"]) {
                    return Ok(asking.wait(job).await);
                }
                if let Some(error) = seen["error"].as_str() {
                    return Err(error.to_owned());
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        })?;
        let status = added.map_err(anyhow::Error::msg)?;
        ensure!(status == "success", "node {index} was not added: {status}");
    }
    let mut asking = operator.clone();
    let wanted = nodes.min(3);
    ask(simulation, "the members", async move {
        loop {
            let seen = asking.ask(Method::StoreStatus, &json!([])).await.unwrap_or_default();
            let voters = seen["members"].as_array().map_or(0, |all| all.iter().filter(|member| member["voter"] == true).count());
            if voters == wanted {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
}

fn begin_clients(simulation: &mut Simulation, plan: &Plan, operator: &Operator, names: &[String], history: &Shared) -> Result<()> {
    let (now, index) = (state().now, simulation.clients);
    let all: Vec<_> = (0..plan.clients)
        .map(|number| client(number, plan.seed.wrapping_mul(31).wrapping_add(number), operator.clone(), names.to_vec(), history.clone()))
        .collect();
    simulation.machines[index].start(Daemon::Clients, now, async move {
        let tasks: Vec<_> = all.into_iter().map(tokio::spawn).collect();
        for task in tasks {
            // A client that panics is seen by its panic.
            let _ = task.await;
        }
        Exit::Done
    })?;
    Ok(())
}

/// Lets time pass until a question is answered.
fn ask<T: Send + 'static>(simulation: &mut Simulation, what: &str, question: impl Future<Output = T> + Send + 'static) -> Result<T> {
    let answer = Arc::new(Mutex::new(None));
    let place = answer.clone();
    let (now, index) = (state().now, simulation.clients);
    simulation.machines[index].start(Daemon::Join, now, async move {
        let said = question.await;
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
        Exit::Done
    })?;
    simulation.until(what, REST_US, |simulation| !simulation.machines[simulation.clients].processes.contains_key(&Daemon::Join))?;
    let said = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
    said.with_context(|| format!("{what}: no answer"))
}

/// Names that have files or guests, by place.
fn leftovers(simulation: &Simulation) -> Vec<(String, BTreeSet<String>)> {
    let mut found: Vec<(String, BTreeSet<String>)> = Vec::new();
    let names = |dir: &Path| -> BTreeSet<String> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| !name.starts_with('.')).collect()
    };
    found.push(("the shared directory".to_owned(), names(&simulation.dir.join("shared"))));
    for machine in &simulation.machines {
        let place = |what: &str| format!("{} ({what})", machine.name);
        found.push((place("disks"), names(&machine.root.join("srv/ganeti/file-storage"))));
        found.push((place("guests"), names(&machine.paths().run_dir().join("fake-hypervisor"))));
    }
    found
}

/// A value for those who read it by program.
pub(crate) fn as_json(report: &Report) -> Value {
    json!({"jobs": report.jobs, "ended_well": report.ended_well, "harms": report.harms, "masters": report.masters,
        "calls": report.calls, "simulated_s": report.simulated_s, "digest": report.digest,
        "syncs": report.disk.0, "lost_writes": report.disk.1})
}

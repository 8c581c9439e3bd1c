//! The machines in time: everybody's turn, what daemons wish, and the hand that breaks things.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use gannet_daemon::world::Mistake;
use rand::seq::SliceRandom;
use tokio::sync::oneshot;

use crate::machine::{Daemon, Exit, Machine};
use crate::programs::{Want, Wish};
use crate::state::{self, Facts, state};
use crate::{disk, system, world};

/// The smallest time that passes, in microseconds. Messages between machines take at least one.
pub(crate) const TICK_US: u64 = 1000;
/// A daemon that failed is started again after this, in microseconds.
const RESTART_US: u64 = 1_000_000;
/// A daemon that does not end when asked is killed after this, in microseconds.
const STOP_LIMIT_US: u64 = 30_000_000;
/// Usual longest time of a write to a disk, in microseconds.
pub(crate) const DISK_US: u64 = 4000;
/// Guests are looked at this often, in microseconds.
const LOOK_US: u64 = 20_000;

/// Answers to those who wait for a daemon's end, and since when they wait.
type Waiting = (Vec<oneshot::Sender<gannet_daemon::world::ProgramEnd>>, u64);

/// A running simulation. One per process.
pub(crate) struct Simulation {
    pub(crate) machines: Vec<Machine>,
    pub(crate) dir: PathBuf,
    /// Where the clients run: a machine of its own.
    pub(crate) clients: usize,
    restarts: BTreeMap<(usize, Daemon), u64>,
    stopping: BTreeMap<(usize, Daemon), Waiting>,
    seed: u64,
}

impl Simulation {
    /// Lays the machines out; nothing runs yet.
    ///
    /// # Errors
    /// Directories cannot be made.
    pub(crate) fn new(dir: &Path, seed: u64, nodes: usize, mistake: Option<Mistake>) -> Result<Self> {
        system::take_over(seed);
        system::set_time(1_767_225_600_000_000, 1_000_000_000);
        let ip = |index: usize| Ipv4Addr::new(127, 78, 0, u8::try_from(index + 1).unwrap_or(255));
        let facts =
            (0..=nodes).map(|index| Facts { ip: ip(index), on: true, boots: 1, frozen: false, disk_us: DISK_US, wrote_at: 0 }).collect();
        state::begin(seed, facts, mistake);
        let mut machines = Vec::new();
        for index in 0..=nodes {
            let drift = i64::try_from(state().between(0, 1000))? - 500;
            machines.push(Machine::new(index, dir, format!("node{}.sim.example", index + 1), ip(index), drift));
        }
        let simulation = Self { machines, dir: dir.to_owned(), clients: nodes, restarts: BTreeMap::new(), stopping: BTreeMap::new(), seed };
        simulation.lay_out()?;
        disk::begin(dir);
        gannet_daemon::world::replace(Box::new(world::Simulated));
        Ok(simulation)
    }

    fn lay_out(&self) -> Result<()> {
        let mut hosts = String::from("127.78.0.200 cluster.sim.example cluster\n");
        for machine in &self.machines {
            let short = machine.name.split('.').next().unwrap_or_default();
            hosts.push_str(&format!("{} {} {short}\n", machine.ip, machine.name));
        }
        let shared = self.dir.join("shared");
        fs::create_dir_all(&shared)?;
        for machine in &self.machines {
            for dir in ["etc/ganeti", "var/lib/ganeti", "var/log/ganeti", "srv/ganeti", "run/lock", "var/lock"] {
                fs::create_dir_all(machine.root.join(dir))?;
            }
            fs::write(machine.root.join("etc/hosts"), &hosts)?;
            fs::write(machine.root.join("etc/hostname"), &machine.name)?;
            fs::write(machine.root.join("etc/ganeti/file-storage-paths"), "/srv/ganeti/file-storage\n/srv/ganeti/shared-file-storage\n")?;
            symlink(&shared, machine.root.join("srv/ganeti/shared-file-storage"))?;
        }
        Ok(())
    }

    /// Makes the first machine a cluster of one and starts its daemons.
    ///
    /// # Errors
    /// It is no cluster.
    pub(crate) fn bootstrap(&mut self, candidates: usize) -> Result<()> {
        let spec = serde_json::json!({
            "cluster_name": "cluster.sim.example",
            "enabled_hypervisors": ["fake"],
            "enabled_disk_templates": ["file", "sharedfile", "diskless"],
            "file_storage_dir": "/srv/ganeti/file-storage",
            "shared_file_storage_dir": "/srv/ganeti/shared-file-storage",
            "nicparams": {"mode": "bridged", "link": "br0"},
            "beparams": {"minmem": 16, "maxmem": 16, "vcpus": 1},
            "master_netdev": "lo", "master_netmask": 32, "modify_etc_hosts": false, "modify_ssh_setup": false,
            "candidate_pool_size": candidates,
            "ipolicy": {"minmax": [{
                "min": {"cpu-count": 1, "disk-count": 0, "disk-size": 1, "memory-size": 8, "nic-count": 0, "spindle-use": 1},
                "max": {"cpu-count": 8, "disk-count": 16, "disk-size": 1_048_576, "memory-size": 32768, "nic-count": 8, "spindle-use": 12}
            }]},
        });
        let spec = serde_json::from_value(spec).context("the specification of the cluster")?;
        let first = &mut self.machines[0];
        system::creep(true);
        let made = gannet_masterd::bootstrap::run(&spec, &first.paths());
        system::creep(false);
        // What was drawn in there depended on real threads.
        system::take_over(!self.seed);
        made.context("no cluster")?;
        let now = state().now;
        self.machines[0].power_on(now)?;
        Ok(())
    }

    /// Lets one tick pass for everybody.
    pub(crate) fn tick(&mut self) {
        let (now, wake) = {
            let mut state = state();
            let state = &mut *state;
            state.now += TICK_US;
            (state.now, state.network.deliver(state.now, &state.machines))
        };
        wake.into_iter().for_each(std::task::Waker::wake);
        let mut turns: Vec<(usize, Daemon)> =
            self.machines.iter().flat_map(|machine| machine.processes.keys().map(|daemon| (machine.index, *daemon))).collect();
        turns.shuffle(&mut state().rng);
        for (machine, daemon) in turns {
            if state().machines[machine].frozen {
                continue;
            }
            if let Some(exit) = self.machines[machine].run(daemon, now) {
                self.ended(machine, daemon, &exit, now);
            }
        }
        let wishes = std::mem::take(&mut state().wishes);
        wishes.into_iter().for_each(|wish| self.grant(wish, now));
        self.keep_going(now);
        if now % LOOK_US == 0 {
            self.look_at_guests(now);
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, micros: u64) {
        let until = state().now + micros;
        while state().now < until {
            self.tick();
        }
    }

    /// Lets time pass until something is so.
    ///
    /// # Errors
    /// It is not so in time.
    pub(crate) fn until(&mut self, what: &str, limit_us: u64, mut so: impl FnMut(&mut Self) -> bool) -> Result<()> {
        let limit = state().now + limit_us;
        while !so(self) {
            ensure!(state().now < limit, "{what}: not within {} s", limit_us / 1_000_000);
            self.pass(10 * TICK_US);
        }
        Ok(())
    }

    fn ended(&mut self, machine: usize, daemon: Daemon, exit: &Exit, now: u64) {
        self.say(&format!("{daemon:?} of n{machine} ended: {exit}"));
        if let Some((waiting, _)) = self.stopping.remove(&(machine, daemon)) {
            answer(waiting);
            return;
        }
        match (daemon, exit) {
            (Daemon::Join | Daemon::Clients, _) | (_, Exit::Done) => {}
            (_, Exit::StartOver) => self.start(machine, daemon, now),
            (_, Exit::Failed(_)) => drop(self.restarts.insert((machine, daemon), now + RESTART_US)),
        }
    }

    /// Starts a daemon; that there is no runtime for it would be a failure of this machine.
    pub(crate) fn start(&mut self, machine: usize, daemon: Daemon, now: u64) {
        self.restarts.remove(&(machine, daemon));
        if let Err(error) = self.machines[machine].start_daemon(daemon, now) {
            state().observed.wrong.push(format!("the simulation cannot start {daemon:?}: {error}"));
        }
    }

    /// Kills a daemon; it is started again at `again`.
    pub(crate) fn kill(&mut self, machine: usize, daemon: Daemon, again: u64) {
        let now = state().now;
        if !self.machines[machine].processes.contains_key(&daemon) {
            return;
        }
        self.machines[machine].kill(daemon, now);
        match self.stopping.remove(&(machine, daemon)) {
            Some((waiting, _)) => answer(waiting),
            None => drop(self.restarts.insert((machine, daemon), again)),
        }
    }

    /// Takes the power of a machine.
    pub(crate) fn power_off(&mut self, machine: usize) {
        let now = state().now;
        self.restarts.retain(|(at, _), _| *at != machine);
        self.stopping.retain(|(at, _), _| *at != machine);
        if let Err(error) = self.machines[machine].power_off(now) {
            state().observed.wrong.push(format!("the simulation cannot turn n{machine} off: {error}"));
        }
        state().wishes.retain(|wish| wish.machine != machine);
    }

    /// Gives it back.
    pub(crate) fn power_on(&mut self, machine: usize) {
        let now = state().now;
        if let Err(error) = self.machines[machine].power_on(now) {
            state().observed.wrong.push(format!("the simulation cannot turn n{machine} on: {error}"));
        }
    }

    fn grant(&mut self, wish: Wish, now: u64) {
        let Wish { machine, what, done } = wish;
        self.say(&format!("n{machine}: {what:?}"));
        match what {
            Want::Start(daemon) => {
                self.start(machine, daemon, now);
                answer(vec![done]);
            }
            Want::Stop(daemon) => {
                self.restarts.remove(&(machine, daemon));
                if self.machines[machine].processes.contains_key(&daemon) {
                    self.machines[machine].ask_to_stop(daemon);
                    self.stopping.entry((machine, daemon)).or_insert_with(|| (Vec::new(), now)).0.push(done);
                } else {
                    answer(vec![done]);
                }
            }
            Want::Prepare(id, name, address) => {
                let directory = self.machines[machine].paths().confd_dir();
                let prepared = gannet_confd::prepare(&directory, &gannet_confd::Identity { id, name, address });
                let _ = done.send((i32::from(prepared.is_err()), Vec::new()));
            }
        }
    }

    fn keep_going(&mut self, now: u64) {
        let due: Vec<_> = self.restarts.iter().filter(|(_, at)| **at <= now).map(|(key, _)| *key).collect();
        for (machine, daemon) in due {
            self.start(machine, daemon, now);
        }
        let late: Vec<_> = self.stopping.iter().filter(|(_, (_, since))| since + STOP_LIMIT_US <= now).map(|(key, _)| *key).collect();
        for (machine, daemon) in late {
            self.kill(machine, daemon, now);
        }
    }

    /// Guests that run, by machine.
    pub(crate) fn guests(&self) -> BTreeMap<String, Vec<usize>> {
        let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for machine in &self.machines {
            let Ok(files) = fs::read_dir(machine.paths().run_dir().join("fake-hypervisor")) else { continue };
            for file in files.flatten() {
                let name = file.file_name().to_string_lossy().into_owned();
                let text = fs::read_to_string(file.path()).unwrap_or_default();
                if !name.starts_with('.') && text.contains("\"running\"") {
                    found.entry(name).or_default().push(machine.index);
                }
            }
        }
        found
    }

    fn look_at_guests(&self, now: u64) {
        for (name, machines) in self.guests() {
            if machines.len() > 1 {
                let mut state = state();
                let text = format!("instance {name} runs on machines {machines:?} at once");
                if !state.observed.wrong.iter().any(|wrong| wrong.ends_with(&text)) {
                    state.observed.wrong.push(format!("{now} us: {text}"));
                }
            }
        }
    }

    /// For those who look on.
    pub(crate) fn say(&self, text: &str) {
        let (log, now) = {
            let state = state();
            (state.log, state.now)
        };
        if log {
            eprintln!("{:>12.3} {text}", now as f64 / 1e6);
        }
    }
}

fn answer(waiting: Vec<oneshot::Sender<gannet_daemon::world::ProgramEnd>>) {
    for done in waiting {
        // Who asked may be gone.
        let _ = done.send((0, Vec::new()));
    }
}

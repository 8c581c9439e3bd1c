//! A machine: its directory, and the daemons on it, each with a runtime of its own that is driven from outside.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use gannet_core::paths::{NODED_PORT, Paths};
use gannet_daemon::Signals;
use gannet_masterd::daemon::End;
use rand::SeedableRng;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::state::{Life, state};
use crate::{disk, system};

/// Beginning of the simulated time, in microseconds since 1970: 2026-01-01.
const EPOCH_US: u64 = 1_767_225_600_000_000;
/// What has passed on each machine's monotonic clock before.
const UPTIME_US: u64 = 1_000_000_000;
/// A daemon that was away for longer sees a jump of its clock.
const JUMP_US: u64 = 20_000;

/// A daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Daemon {
    Noded,
    Confd,
    Masterd,
    /// `gannet-noded join`, which ends by itself.
    Join,
    /// The operators' commands: no daemon of a node.
    Clients,
}

impl Daemon {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "gannet-noded" => Some(Self::Noded),
            "gannet-confd" => Some(Self::Confd),
            "gannet-masterd" => Some(Self::Masterd),
            _ => None,
        }
    }
}

/// How a daemon ended by itself.
pub(crate) enum Exit {
    /// As it was asked to.
    Done,
    /// Replaced its own process.
    StartOver,
    /// Why.
    Failed(String),
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done => f.write_str("as asked"),
            Self::StartOver => f.write_str("to start over"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// One life of a daemon.
pub(crate) struct Process {
    pub(crate) life: Life,
    pub(crate) frozen: bool,
    runtime: Runtime,
    main: JoinHandle<Exit>,
    stop: watch::Sender<bool>,
    /// The machine's time when it last had its turn, in microseconds.
    seen: u64,
}

/// A machine.
pub(crate) struct Machine {
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) ip: Ipv4Addr,
    pub(crate) root: PathBuf,
    /// How much faster its clock runs, in millionths.
    pub(crate) drift_ppm: i64,
    pub(crate) processes: BTreeMap<Daemon, Process>,
    lives: u64,
}

impl Machine {
    pub(crate) fn new(index: usize, base: &Path, name: String, ip: Ipv4Addr, drift_ppm: i64) -> Self {
        let root = base.join(format!("n{index}"));
        Self { index, name, ip, root, drift_ppm, processes: BTreeMap::new(), lives: 0 }
    }

    pub(crate) fn paths(&self) -> Paths {
        Paths::new(Some(self.root.clone()))
    }

    /// The machine's own time.
    fn local(&self, now: u64) -> u64 {
        now.saturating_add_signed(i64::try_from(now / 1000).unwrap_or(0) * self.drift_ppm / 1000)
    }

    /// Makes the clock of the process that of this machine.
    pub(crate) fn set_time(&self, now: u64) {
        let local = self.local(now);
        system::set_time(EPOCH_US + local, UPTIME_US + local);
    }

    /// Starts a daemon, if it does not run.
    ///
    /// # Errors
    /// The runtime cannot be made.
    pub(crate) fn start(&mut self, daemon: Daemon, now: u64, main: impl Future<Output = Exit> + Send + 'static) -> io::Result<()> {
        self.start_with(daemon, now, |_| main)
    }

    fn start_with<F>(&mut self, daemon: Daemon, now: u64, main: impl FnOnce(watch::Receiver<bool>) -> F) -> io::Result<()>
    where
        F: Future<Output = Exit> + Send + 'static,
    {
        if self.processes.contains_key(&daemon) {
            return Ok(());
        }
        self.lives += 1;
        let life = Life { machine: self.index, number: self.lives * 8 + daemon as u64 };
        self.set_time(now);
        state().current = Some(life);
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build()?;
        let (stop, stopping) = watch::channel(false);
        let main = runtime.spawn(main(stopping));
        state().current = None;
        self.processes.insert(daemon, Process { life, frozen: false, runtime, main, stop, seen: self.local(now) });
        Ok(())
    }

    /// Starts one of Gannet's daemons.
    ///
    /// # Errors
    /// The runtime cannot be made.
    pub(crate) fn start_daemon(&mut self, daemon: Daemon, now: u64) -> io::Result<()> {
        let (paths, name, ip) = (self.paths(), self.name.clone(), self.ip);
        match daemon {
            Daemon::Confd => self.start_with(daemon, now, |stopping| confd(paths, stopping)),
            Daemon::Masterd => self.start_with(daemon, now, |stopping| masterd(paths, stopping)),
            Daemon::Noded => self.start_with(daemon, now, |stopping| noded(paths, name, ip, stopping)),
            Daemon::Join | Daemon::Clients => Ok(()),
        }
    }

    /// Asks a daemon to end.
    pub(crate) fn ask_to_stop(&self, daemon: Daemon) {
        if let Some(process) = self.processes.get(&daemon) {
            process.stop.send_replace(true);
        }
    }

    /// Lets a daemon live until the machine's time of `now`. How it ended, if it did.
    pub(crate) fn run(&mut self, daemon: Daemon, now: u64) -> Option<Exit> {
        let local = self.local(now);
        self.set_time(now);
        let process = self.processes.get_mut(&daemon)?;
        if process.frozen {
            return None;
        }
        let passed = std::time::Duration::from_micros(local.saturating_sub(process.seen));
        let jumps = local.saturating_sub(process.seen) > JUMP_US;
        process.seen = local;
        state().current = Some(process.life);
        process.runtime.block_on(async {
            if jumps {
                tokio::time::advance(passed).await;
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(passed).await;
            }
        });
        let exit = process.main.is_finished().then(|| {
            let ended = process.runtime.block_on(&mut process.main);
            ended.unwrap_or_else(|error| Exit::Failed(error.to_string()))
        });
        if exit.is_some() {
            self.bury(daemon);
        }
        state().current = None;
        exit
    }

    /// Ends a daemon as `kill -9` does: its connections are closed by the system.
    pub(crate) fn kill(&mut self, daemon: Daemon, now: u64) {
        self.set_time(now);
        self.bury(daemon);
        state().current = None;
    }

    fn bury(&mut self, daemon: Daemon) {
        let Some(process) = self.processes.remove(&daemon) else { return };
        state().current = Some(process.life);
        drop(process.main);
        drop(process.runtime);
        let gone = state().network.stop_listening(process.life);
        drop(gone);
        state().observed.ended(process.life);
    }

    /// The power goes: everything ends without a word, and what was not kept on disk is lost.
    ///
    /// # Errors
    /// Files cannot be removed.
    pub(crate) fn power_off(&mut self, now: u64) -> io::Result<()> {
        {
            let mut state = state();
            state.machines[self.index].on = false;
            state.network.forget(self.index);
        }
        let all: Vec<Daemon> = self.processes.keys().copied().collect();
        all.into_iter().for_each(|daemon| self.kill(daemon, now));
        let mut rng = rand::rngs::StdRng::seed_from_u64(state().between(0, u64::MAX - 1));
        disk::power_lost(self.index, &mut rng);
        let run = self.root.join("run");
        fs::remove_dir_all(&run)?;
        fs::create_dir_all(run.join("lock"))
    }

    /// The machine boots: the agent, and the daemons of a master candidate if it is one.
    ///
    /// # Errors
    /// A runtime cannot be made.
    pub(crate) fn power_on(&mut self, now: u64) -> io::Result<()> {
        {
            let facts = &mut state().machines[self.index];
            facts.on = true;
            facts.boots += 1;
        }
        self.start_daemon(Daemon::Noded, now)?;
        if self.is_member() {
            self.start_daemon(Daemon::Confd, now)?;
            self.start_daemon(Daemon::Masterd, now)?;
        }
        Ok(())
    }

    /// Whether it keeps a copy of the state.
    pub(crate) fn is_member(&self) -> bool {
        self.paths().confd_dir().join("identity.json").exists()
    }
}

async fn confd(paths: Paths, stopping: watch::Receiver<bool>) -> Exit {
    let options = gannet_confd::daemon::Options {
        data_dir: paths.confd_dir(),
        socket: paths.confd_socket(),
        bind: None,
        ca: paths.ca_cert(),
        node_cert: paths.node_cert(),
        member_cert: paths.master_cert(),
        reserve: 1 << 20,
    };
    match gannet_confd::daemon::run(options, stopping, || ()).await {
        Ok(()) => Exit::Done,
        Err(error) => Exit::Failed(error.to_string()),
    }
}

async fn masterd(paths: Paths, shutdown: watch::Receiver<bool>) -> Exit {
    let (_keep, reload) = watch::channel(0);
    match gannet_masterd::daemon::run(paths, Signals { shutdown, reload }).await {
        Ok(End::Asked) => Exit::Done,
        Ok(End::StartOver) => Exit::StartOver,
        Err(error) => Exit::Failed(format!("{error:#}")),
    }
}

async fn noded(paths: Paths, name: String, ip: Ipv4Addr, mut stopping: watch::Receiver<bool>) -> Exit {
    use gannet_noded::{context::Context, server};
    let serve = async {
        let context = Context::new(paths, &name)?;
        let certificates = server::Certificates::load(&context)?;
        let listener = server::listen(SocketAddr::new(ip.into(), NODED_PORT)).await?;
        let left = context.left_cluster.clone();
        let ending = async move {
            tokio::select! {
                () = left.notified() => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
        };
        server::serve(context, listener, certificates, ending).await?;
        Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    };
    match serve.await {
        Ok(()) => Exit::Done,
        Err(error) => Exit::Failed(error.to_string()),
    }
}

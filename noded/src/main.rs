//! `gannet-noded`: the node agent.

#![forbid(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use gannet_core::paths::Paths;
use gannet_noded::context::Context;
use gannet_noded::hypervisor::Hypervisors;
use gannet_noded::log::LogFile;
use gannet_noded::options::{Command, Options, node_name};
use gannet_noded::{join, lease, log, os, server, tls};
use nix::fcntl::{Flock, FlockArg};
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

/// Threads for calls: they only wait for programs, libvirt and disks.
const THREADS: usize = 2;
/// Name in pid file and daemon starter.
const DAEMON: &str = "gannet-noded";
/// Name in the keeper's pid file.
const KEEPER: &str = "gannet-lease-keeper";

fn main() -> ExitCode {
    let options = Options::parse();
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            eprintln!("{DAEMON}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> anyhow::Result<()> {
    tls::install_provider();
    let paths = options.paths();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build().context("cannot start threads")?;
    match &options.command {
        Some(Command::Join { token, force }) => {
            log::start(None, options.debug);
            let joined = runtime.block_on(join::join(&paths, token, *force))?;
            println!("{joined}");
            Ok(())
        }
        Some(Command::LeaseKeeper) => runtime.block_on(keep_lease(&options, paths)),
        None => runtime.block_on(serve(&options, paths)),
    }
}

async fn keep_lease(options: &Options, paths: Paths) -> anyhow::Result<()> {
    let log_file = match options.foreground {
        true => None,
        false => Some(LogFile::open(&paths.log_dir().join("lease-keeper.log")).context("cannot open the log file")?),
    };
    log::start(log_file, options.debug);
    let Ok(_pid_file) = pid_file(&paths, KEEPER) else { return Ok(()) }; // another one was faster
    // The last one to go when memory is short. Only root may say so.
    if let Err(error) = std::fs::write("/proc/self/oom_score_adj", "-1000") {
        tracing::debug!(%error, "the keeper is no better than other processes when memory is short");
    }
    let name = node_name(&paths)?;
    let hypervisors = Arc::new(Hypervisors::new(&paths, &name));
    let signals = gannet_daemon::Signals::listen().context("cannot wait for signals")?;
    lease::run(paths, hypervisors, signals, options.foreground).await
}

async fn serve(options: &Options, paths: Paths) -> anyhow::Result<()> {
    let log_file = match options.foreground {
        true => None,
        false => Some(LogFile::open(&paths.log_dir().join("node-daemon.log")).context("cannot open the log file")?),
    };
    log::start(log_file.clone(), options.debug);
    let _pid_file = pid_file(&paths, DAEMON)?;
    let name = node_name(&paths)?;
    let context = Context::new(paths.clone(), &name)?;
    os::script::end_leftovers(&paths);
    let certificates = server::Certificates::load(&context)?;
    let address = options.listen_address(&paths, &name)?;
    let listener = server::listen(address).await?;
    tracing::info!(node = name, %address, version = env!("CARGO_PKG_VERSION"), "the node agent is up");
    notify(&[NotifyState::Ready]);
    let (ending, reloads) = (until_asked(context.clone())?, reload_on_hangup(context.clone(), certificates.clone(), log_file)?);
    let reloads = tokio::spawn(reloads);
    let served = server::serve(context, listener, certificates, ending).await;
    reloads.abort();
    tracing::info!("the node agent ended; guests keep running");
    Ok(served?)
}

/// Done when the agent shall end: a signal, or the node has left its cluster.
fn until_asked(context: Context) -> anyhow::Result<impl Future<Output = ()> + Send> {
    gannet_daemon::unblock().context("cannot wait for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("asked to end by SIGTERM"),
            _ = interrupt.recv() => tracing::info!("asked to end by SIGINT"),
            () = context.left_cluster.notified() => tracing::info!("this node has left its cluster"),
        }
        notify(&[NotifyState::Stopping]);
    })
}

/// SIGHUP: the log file and the certificates are opened anew.
fn reload_on_hangup(
    context: Context,
    certificates: server::Certificates,
    log_file: Option<LogFile>,
) -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut hangup = signal(SignalKind::hangup()).context("cannot wait for SIGHUP")?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            let now = NotifyState::monotonic_usec_now();
            if let Ok(now) = now {
                notify(&[NotifyState::Reloading, now]);
            }
            if let Some(Err(error)) = log_file.as_ref().map(LogFile::reopen) {
                tracing::error!(%error, "the log file could not be opened anew");
            }
            match certificates.reload(&context) {
                Ok(()) => tracing::info!("reloaded"),
                Err(error) => tracing::error!(%error, "the certificates could not be read; the old ones stay in use"),
            }
            notify(&[NotifyState::Ready]);
        }
    })
}

/// Locks and writes the pid file; it stays locked as long as the value lives.
fn pid_file(paths: &Paths, name: &str) -> anyhow::Result<Flock<File>> {
    let path = paths.pid_file(name);
    std::fs::create_dir_all(paths.run_dir()).with_context(|| format!("cannot create {}", paths.run_dir().display()))?;
    let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = opened.with_context(|| format!("cannot open {}", path.display()))?;
    let mut file = Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map_err(|(_, error)| anyhow::anyhow!("{name} is running already ({} is locked: {error})", path.display()))?;
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(file)
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager was not told");
    }
}

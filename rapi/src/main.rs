//! `gannet-rapi`: the remote API daemon of the master node.
#![forbid(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use gannet_core::paths::Paths;
use gannet_rapi::api::Api;
use gannet_rapi::log::{self, LogFile};
use gannet_rapi::options::Options;
use gannet_rapi::server::{self, Limits, Security};
use gannet_rapi::tls::Files;
use nix::fcntl::{Flock, FlockArg};
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Name in pid file and daemon starter.
const DAEMON: &str = "gannet-rapi";
/// Threads: one encrypts a large answer while the other goes on.
const THREADS: usize = 2;

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            eprintln!("{DAEMON}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    options.check()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build().context("cannot start threads")?;
    let served = runtime.block_on(serve(options, &options.paths()));
    runtime.shutdown_background();
    served
}

async fn serve(options: &Options, paths: &Paths) -> anyhow::Result<()> {
    let log_file = match options.foreground {
        true => None,
        false => Some(LogFile::open(&paths.log_dir().join("rapi-daemon.log")).context("cannot open the log file")?),
    };
    log::start(log_file.clone(), options.debug);
    let _pid_file = pid_file(paths)?;
    let files = options.tls_files();
    let security = Security::new(files.as_ref().map(Files::load).transpose()?);
    let api = Arc::new(Api::new(paths.query_socket(), paths.rapi_users(), options.require_authentication, options.max_clients.into()));
    let address = options.listen_address(&node_name()?)?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    tracing::info!(%address, tls = files.is_some(), version = env!("CARGO_PKG_VERSION"), "the remote API is up");
    let ending = until_asked()?;
    let reloads = tokio::spawn(reload_on_hangup(api.clone(), security.clone(), files, log_file)?);
    notify(&[NotifyState::Ready]);
    server::serve(api, listener, security, Limits::default(), ending).await;
    reloads.abort();
    tracing::info!("the remote API ended");
    Ok(())
}

/// GANETI_HOSTNAME, else the system's host name.
fn node_name() -> anyhow::Result<String> {
    match std::env::var("GANETI_HOSTNAME") {
        Ok(name) if !name.is_empty() => Ok(name),
        _ => Ok(nix::unistd::gethostname().context("the host name is not known")?.to_string_lossy().into_owned()),
    }
}

fn until_asked() -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("asked to end by SIGTERM"),
            _ = interrupt.recv() => tracing::info!("asked to end by SIGINT"),
        }
        notify(&[NotifyState::Stopping]);
    })
}

/// SIGHUP: log file, certificate and users are read anew. A certificate that cannot be read leaves the old one in use.
fn reload_on_hangup(
    api: Arc<Api>,
    security: Security,
    files: Option<Files>,
    log_file: Option<LogFile>,
) -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut hangup = signal(SignalKind::hangup()).context("cannot wait for SIGHUP")?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            if let Ok(now) = NotifyState::monotonic_usec_now() {
                notify(&[NotifyState::Reloading, now]);
            }
            if let Some(Err(error)) = log_file.as_ref().map(LogFile::reopen) {
                tracing::error!(%error, "the log file could not be opened anew");
            }
            api.reload();
            match files.as_ref().map(Files::load) {
                Some(Ok(config)) => security.replace(config),
                Some(Err(error)) => {
                    tracing::error!(error = format!("{:#}", anyhow::Error::from(error)), "the old certificate stays in use")
                }
                None => {}
            }
            tracing::info!("reloaded");
            notify(&[NotifyState::Ready]);
        }
    })
}

/// Locks and writes the pid file; it stays locked as long as the value lives.
fn pid_file(paths: &Paths) -> anyhow::Result<Flock<File>> {
    let path = paths.pid_file(DAEMON);
    std::fs::create_dir_all(paths.run_dir()).with_context(|| format!("cannot create {}", paths.run_dir().display()))?;
    let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = opened.with_context(|| format!("cannot open {}", path.display()))?;
    let mut file = Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map_err(|(_, error)| anyhow::anyhow!("{DAEMON} is running already ({} is locked: {error})", path.display()))?;
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(file)
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager was not told");
    }
}

//! `gannet-confd`: the configuration store of a master candidate.
#![forbid(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use clap::Parser;
use gannet_confd::daemon::{self, Options};
use gannet_core::paths::Paths;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

/// The configuration store of a Gannet master candidate.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Put all paths below this directory (a virtual node)
    #[arg(long, env = "GANETI_ROOTDIR", value_name = "DIR")]
    root: Option<PathBuf>,
    /// Log to standard error instead of the log file
    #[arg(long, short)]
    foreground: bool,
    /// Address and port for the other master candidates [default: as in the cluster]
    #[arg(long, value_name = "IP:PORT")]
    bind: Option<SocketAddr>,
    /// Where the databases are [default: DATA_DIR/confd]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where the master daemon connects [default: RUN_DIR/socket/gannet-confd]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// What to log: error, warn, info, debug, or a tracing filter
    #[arg(long, default_value = "info", value_name = "LEVEL")]
    log_level: String,
    /// Log more; the same as --log-level debug
    #[arg(long, short)]
    debug: bool,
    /// Refuse writes while less than this is free for the databases, in MiB
    #[arg(long, default_value_t = 64, value_name = "MIB")]
    reserve: u64,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make this node ready to be added to a cluster's group, and end; the node agent does this
    Prepare {
        /// The member's number
        id: u64,
        /// The node's name
        name: String,
        /// IP and port of its Raft port
        address: SocketAddr,
        /// The epoch of the master that adds it
        #[arg(long, default_value_t = 0)]
        epoch: u64,
    },
    /// Make this node's copy the only one, when the majority of the group is lost for good; `gnt-cluster recover` calls it
    Recover {
        /// Only show what there is, and whether it would be refused
        #[arg(long)]
        look: bool,
    },
    /// Show what the running store of this node knows of the group, and end
    Status,
}

/// Exit status: the copy on this node is of no use any more. Starting again changes nothing.
const UNUSABLE: u8 = 65;

fn main() -> ExitCode {
    let args = Args::parse();
    match start(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            eprintln!("gannet-confd: {error:#}");
            match error.downcast_ref() {
                Some(gannet_confd::Error::Unusable { .. }) => ExitCode::from(UNUSABLE),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn start(args: Args) -> anyhow::Result<()> {
    let paths = Paths::new(args.root.clone());
    match args.command {
        Some(Command::Recover { look }) => return recover(&options(&args, &paths), &paths, look),
        Some(Command::Prepare { id, name, address, epoch }) => {
            let directory = args.data_dir.unwrap_or_else(|| paths.confd_dir());
            let identity = gannet_confd::Identity { id, name, address: address.to_string() };
            return gannet_confd::prepare(&directory, &identity, epoch).context("cannot prepare a member");
        }
        Some(Command::Status) => return show_status(&args.socket.unwrap_or_else(|| paths.confd_socket())),
        None => {}
    }
    let log = start_log(&args, &paths)?;
    let options = options(&args, &paths);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Store calls run there; more would only wait for the same locks.
        .max_blocking_threads(8)
        .enable_all()
        .build()
        .context("cannot start")?;
    runtime.block_on(serve(options, log))
}

fn options(args: &Args, paths: &Paths) -> Options {
    Options {
        data_dir: args.data_dir.clone().unwrap_or_else(|| paths.confd_dir()),
        socket: args.socket.clone().unwrap_or_else(|| paths.confd_socket()),
        bind: args.bind,
        ca: paths.ca_cert(),
        node_cert: paths.node_cert(),
        member_cert: paths.master_cert(),
        reserve: args.reserve << 20,
    }
}

/// Shows what there is, or makes it the only copy.
fn recover(options: &Options, paths: &Paths, look: bool) -> anyhow::Result<()> {
    // What this node's agent has seen; it may have heard of a later group than the copy.
    let epoch = std::fs::read_to_string(paths.data_dir().join("gannet-epoch")).unwrap_or_default();
    let epoch = epoch.trim().parse().unwrap_or(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    if look {
        let survey = runtime.block_on(gannet_confd::recover::survey(options, epoch))?;
        print!("{survey}");
        return match survey.refusal() {
            Some(refusal) => Err(anyhow::anyhow!(refusal)),
            None => Ok(()),
        };
    }
    let term = runtime.block_on(gannet_confd::recover::recover(options, epoch))?;
    println!("This node's copy is the only one now; the new group begins with term {term}.");
    Ok(())
}

/// Prints one line about this member, then one for each member of the group.
fn show_status(socket: &Path) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    let status = runtime.block_on(async { gannet_confd::Client::connect(socket).await?.status().await })?;
    let gannet_confd::Status { role, members, last_log, applied, .. } = status;
    println!("{} in term {}, entry {applied} of {last_log} applied", role.kind, role.term);
    for member in members {
        let leads = if role.leader == Some(member.id) { ", leads" } else { "" };
        let kind = if member.voter { "voter" } else { "learner" };
        let lag = member.lag.map(|lag| format!(", {lag} entries behind")).unwrap_or_default();
        println!("{} ({}): {kind}{leads}{lag}", member.name, member.address);
    }
    Ok(())
}

async fn serve(options: Options, log: Option<LogFile>) -> anyhow::Result<()> {
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(signals(stop, log)?);
    let ready = || notify(&[NotifyState::Ready]);
    daemon::run(options, stopping, ready).await?;
    tracing::info!("confd has stopped");
    Ok(())
}

/// SIGTERM and SIGINT stop; SIGHUP opens the log file again.
fn signals(stop: watch::Sender<bool>, log: Option<LogFile>) -> anyhow::Result<impl Future<Output = ()>> {
    gannet_daemon::unblock().context("cannot handle signals")?;
    let mut term = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    let mut int = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
    let mut hup = signal(SignalKind::hangup()).context("cannot handle SIGHUP")?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = term.recv() => break,
                _ = int.recv() => break,
                _ = hup.recv() => if let Some(log) = &log { log.reopen() },
            }
        }
        notify(&[NotifyState::Stopping]);
        stop.send_replace(true);
    })
}

/// Tells systemd, if it is there.
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "cannot notify the service manager");
    }
}

fn start_log(args: &Args, paths: &Paths) -> anyhow::Result<Option<LogFile>> {
    let level = if args.debug { "debug" } else { &args.log_level };
    let filter = EnvFilter::try_new(level)
        .with_context(|| format!("--log-level {level} is not a level or filter"))?
        // The library tells every heartbeat.
        .add_directive("openraft=warn".parse().context("a constant directive")?);
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    if args.foreground {
        subscriber.with_writer(std::io::stderr).init();
        return Ok(None);
    }
    let log = LogFile::open(&paths.log_dir().join("conf-daemon.log"))?;
    let writer = log.clone();
    subscriber.with_writer(move || writer.clone()).init();
    Ok(Some(log))
}

/// The log file, which can be opened again after it was rotated.
#[derive(Clone)]
struct LogFile {
    path: Arc<Path>,
    file: Arc<Mutex<File>>,
}

impl LogFile {
    fn open(path: &Path) -> anyhow::Result<Self> {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        }
        let file = append(path).with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self { path: path.into(), file: Arc::new(Mutex::new(file)) })
    }

    fn reopen(&self) {
        match append(&self.path) {
            Ok(file) => *self.file.lock().unwrap_or_else(PoisonError::into_inner) = file,
            Err(error) => tracing::warn!(path = %self.path.display(), %error, "cannot open the log again"),
        }
    }
}

fn append(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o640);
    options.open(path)
}

impl std::io::Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

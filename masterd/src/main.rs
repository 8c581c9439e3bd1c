//! gannet-masterd: the program.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use gannet_daemon::{LogFile, PidFile, Signals};
use gannet_masterd::daemon::{self, End};
use gannet_masterd::options::{Command, Options};

/// Exit status: the daemon has lost its confd or its role and starts over.
const START_OVER: u8 = 75;

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match options.command {
        Some(Command::Bootstrap) => bootstrap(&options),
        Some(Command::TakeOver) => take_over(&options),
        None => serve(&options),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            // The log may not be open yet; the daemon starter passes this on.
            eprintln!("gannet-masterd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bootstrap(options: &Options) -> anyhow::Result<ExitCode> {
    gannet_masterd::bootstrap::from_stdin(&options.paths())?;
    Ok(ExitCode::SUCCESS)
}

fn take_over(options: &Options) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(gannet_masterd::take_over::run(&options.paths()))?;
    Ok(ExitCode::SUCCESS)
}

fn serve(options: &Options) -> anyhow::Result<ExitCode> {
    let paths = options.paths();
    let log = if options.foreground {
        None
    } else {
        let path = paths.log_dir().join("master-daemon.log");
        Some(LogFile::open(&path).with_context(|| format!("cannot open the log {}", path.display()))?)
    };
    gannet_daemon::start_log(log.clone(), options.debug);
    let pid_path = paths.pid_file("gannet-masterd");
    let _pid_file = PidFile::write(&pid_path).with_context(|| format!("cannot write {}", pid_path.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("masterd").build()?;
    let end = runtime.block_on(async {
        let signals = Signals::listen()?;
        if let Some(log) = log {
            tokio::spawn(reopen_on_reload(signals.clone(), log));
        }
        daemon::run(paths, signals).await
    })?;
    gannet_daemon::notify_stopping();
    // Tasks of jobs that still wait are dropped here: what is durable is in the store.
    runtime.shutdown_background();
    Ok(match end {
        End::Asked => ExitCode::SUCCESS,
        End::StartOver => start_over(),
    })
}

async fn reopen_on_reload(signals: Signals, log: LogFile) {
    let mut reload = signals.reload;
    while reload.changed().await.is_ok() {
        if let Err(error) = log.reopen() {
            tracing::error!(%error, "the log cannot be opened anew; the old file stays in use");
        }
    }
}

/// Replaces the process by a fresh one with the same arguments: nothing of the lost role can be left in memory.
fn start_over() -> ExitCode {
    use std::os::unix::process::CommandExt;

    let Ok(program) = std::env::current_exe() else { return ExitCode::from(START_OVER) };
    #[allow(clippy::disallowed_methods, reason = "not a child: this very process")]
    let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).exec();
    tracing::error!(%error, "cannot start over");
    ExitCode::from(START_OVER)
}

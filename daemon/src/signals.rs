//! SIGTERM and SIGINT end the daemon, SIGHUP makes it reload.

use std::io;

use nix::sys::signal::{SigSet, Signal};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Takes the signals that end a daemon off the mask of this thread, and so of the process: a starter that holds them back for
/// itself leaves that to its children.
///
/// # Errors
/// When the system refuses.
pub fn unblock() -> io::Result<()> {
    let mut set = SigSet::empty();
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().for_each(|signal| set.add(signal));
    set.thread_unblock().map_err(io::Error::from)
}

/// What the signals say.
#[derive(Debug, Clone)]
pub struct Signals {
    /// True once the daemon must end.
    pub shutdown: watch::Receiver<bool>,
    /// Counts the reloads that were asked for.
    pub reload: watch::Receiver<u64>,
}

impl Signals {
    /// Takes the signals over, from inside a tokio runtime.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen() -> io::Result<Self> {
        unblock()?;
        let (end, shutdown) = watch::channel(false);
        let (again, reload) = watch::channel(0);
        let mut term = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = term.recv() => { end.send_replace(true); }
                    _ = interrupt.recv() => { end.send_replace(true); }
                    _ = hangup.recv() => again.send_modify(|count| *count += 1),
                }
            }
        });
        Ok(Self { shutdown, reload })
    }

    /// Resolves when the daemon must end.
    pub async fn ended(&self) {
        let mut shutdown = self.shutdown.clone();
        // The sender lives in the task above, as long as the runtime.
        let _ = shutdown.wait_for(|end| *end).await;
    }
}

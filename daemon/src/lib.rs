//! What every Gannet daemon does in the same way: its log, its pid file, signals, and telling the service manager.
#![forbid(unsafe_code)]

pub mod fault;
mod log;
pub mod net;
mod pid_file;
mod signals;
pub mod work;
pub mod world;

pub use log::{LogFile, start_log};
pub use pid_file::PidFile;
pub use signals::{Signals, unblock};

/// Tells the service manager that the daemon serves now. Without one (`NOTIFY_SOCKET` is not set) nothing happens.
pub fn notify_ready() {
    notify(&[sd_notify::NotifyState::Ready]);
}

/// Tells the service manager that the daemon is stopping.
pub fn notify_stopping() {
    notify(&[sd_notify::NotifyState::Stopping]);
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        // Whoever waited may have gone: a standby says again that it is ready when it takes over.
        tracing::debug!(%error, "the service manager could not be told");
    }
}

//! Faults at chosen places of a daemon (`gannet_daemon::fault`): armed, hit, taken back.

use std::path::PathBuf;

use crate::daemon::Daemon;

/// The variable that a daemon reads.
const VARIABLE: &str = "GANNET_FAULT_FILE";

/// What happens at the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// The daemon dies as with `kill -9`.
    Kill,
    /// It stands still until it is told to go on, or killed.
    Stop,
}

/// The faults of one daemon, which was started by [`Fault::start`].
#[derive(Debug, Clone)]
pub struct Fault<'c> {
    daemon: Daemon<'c>,
    file: PathBuf,
}

impl<'c> Fault<'c> {
    /// Starts the daemon (again, if it runs) so that faults can be armed.
    ///
    /// # Panics
    /// It does not become ready.
    #[track_caller]
    #[must_use]
    pub fn start(daemon: Daemon<'c>) -> Self {
        let fault = Self { daemon, file: daemon.node.root.join(format!("{}.fault", daemon.name)) };
        if daemon.pid().is_some() {
            daemon.kill9();
        }
        fault.restart();
        fault
    }

    /// Starts the daemon after its death.
    ///
    /// # Panics
    /// It does not become ready.
    #[track_caller]
    pub fn restart(&self) {
        let file = self.file.display().to_string();
        self.daemon.try_start(&[(VARIABLE, &file)]).unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// The daemon.
    #[must_use]
    pub fn daemon(&self) -> Daemon<'c> {
        self.daemon
    }

    /// The `number`-th place from now on (the first is 1) gets the fault.
    ///
    /// # Panics
    /// The file cannot be written.
    #[track_caller]
    pub fn arm(&self, verb: Verb, number: u64) {
        let verb = match verb {
            Verb::Kill => "kill",
            Verb::Stop => "stop",
        };
        let _ = std::fs::remove_file(self.hit_file());
        let new = self.file.with_extension("arming");
        let armed = std::fs::write(&new, format!("{verb} {number}")).and_then(|()| std::fs::rename(&new, &self.file));
        armed.unwrap_or_else(|error| panic!("cannot write {}: {error}", self.file.display()));
    }

    /// No fault any more. How many places are left to the wanted one; 0 when it was reached.
    ///
    /// # Panics
    /// The file has something else in it.
    #[track_caller]
    pub fn disarm(&self) -> u64 {
        let Ok(text) = std::fs::read_to_string(&self.file) else { return 0 };
        if std::fs::remove_file(&self.file).is_err() {
            return 0;
        }
        let number = text.trim().rsplit_once(' ').and_then(|(_, number)| number.parse().ok());
        number.unwrap_or_else(|| panic!("{} holds {text:?}", self.file.display()))
    }

    /// The name of the place that was reached, once the daemon is dead or stands still there.
    #[must_use]
    pub fn hit(&self) -> Option<String> {
        let name = std::fs::read_to_string(self.hit_file()).ok()?;
        (self.daemon.is_over() || self.daemon.is_stopped()).then_some(name)
    }

    fn hit_file(&self) -> PathBuf {
        self.file.with_extension("hit")
    }
}

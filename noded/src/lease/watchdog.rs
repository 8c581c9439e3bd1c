//! The watchdog device: a timer in hardware (or in the kernel) that restarts the machine when nobody feeds it.
//!
//! `GANNET_WATCHDOG` in the keeper's environment names it (`/dev/watchdog`). The keeper opens it with the first lease. It is fed only
//! as long as it would bark too late otherwise: while the lease goes on longer than its timeout, or when all guests have been
//! ended for certain. So a keeper that dies, stands still, or cannot end a guest takes the machine down in time.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gannet_core::lease::{RENEW_EVERY, STOP_MARGIN};

/// Names the device.
pub(super) const VARIABLE: &str = "GANNET_WATCHDOG";
/// Closing after this letter means that it is done on purpose.
const GOODBYE: &[u8] = b"V";

/// Why the device is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("cannot open {device}: {source}", device = device.display())]
    Open {
        device: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot find the timeout of {device} in {file}: {source}", device = device.display(), file = file.display())]
    Timeout {
        device: PathBuf,
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "{device} waits {timeout} s, too long for leases of {lease} s: set a shorter timeout (for softdog: soft_margin=10) or a longer lease (gannet:auto-failover:lease:N)",
        device = device.display()
    )]
    TooSlow { device: PathBuf, timeout: u64, lease: u64 },
}

/// An open, and so armed, device.
#[derive(Debug)]
pub(super) struct Watchdog {
    file: File,
    timeout: Duration,
}

impl Watchdog {
    /// Opens it, if it is fast enough for leases of this length. `sys` is `/sys`.
    pub(super) fn open(device: &Path, sys: &Path, lease: Duration) -> Result<Self, Error> {
        let timeout = timeout(device, sys)?;
        if timeout + RENEW_EVERY * 3 > lease {
            return Err(Error::TooSlow { device: device.to_owned(), timeout: timeout.as_secs(), lease: lease.as_secs() });
        }
        let opened = OpenOptions::new().write(true).open(device);
        let file = opened.map_err(|source| Error::Open { device: device.to_owned(), source })?;
        Ok(Self { file, timeout })
    }

    /// Whether it may be fed: it would restart the machine before the lease is over if this were the last time.
    pub(super) fn may_feed(&self, left: Duration, all_ended: bool) -> bool {
        all_ended || left + STOP_MARGIN > self.timeout
    }

    /// Puts its bark off.
    pub(super) fn feed(&mut self) -> io::Result<()> {
        self.file.write_all(b"\0")
    }

    /// Nobody needs it any more.
    pub(super) fn goodbye(mut self) -> io::Result<()> {
        self.file.write_all(GOODBYE)
    }
}

/// As the kernel tells it; `/dev/watchdog` is the device number 0.
fn timeout(device: &Path, sys: &Path) -> Result<Duration, Error> {
    let name = device.file_name().unwrap_or_default().to_string_lossy();
    let name = if name == "watchdog" { "watchdog0" } else { &name };
    let file = sys.join("class/watchdog").join(name).join("timeout");
    let failed = |source| Error::Timeout { device: device.to_owned(), file: file.clone(), source };
    let text = std::fs::read_to_string(&file).map_err(failed)?;
    text.trim().parse().map(Duration::from_secs).map_err(|_| failed(io::ErrorKind::InvalidData.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(timeout: &str) -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let sys = root.path().join("class/watchdog/watchdog0");
        std::fs::create_dir_all(&sys).unwrap();
        std::fs::write(sys.join("timeout"), timeout).unwrap();
        let device = root.path().join("watchdog");
        std::fs::write(&device, "").unwrap();
        (root, device)
    }

    #[test]
    fn it_is_fed_while_it_would_bark_in_time() {
        let (root, path) = device("10\n");
        let mut dog = Watchdog::open(&path, root.path(), Duration::from_secs(30)).unwrap();
        assert!(dog.may_feed(Duration::from_secs(20), false));
        assert!(!dog.may_feed(Duration::from_secs(7), false), "fed now, it would bark when the lease is over already");
        assert!(!dog.may_feed(Duration::ZERO, false) && dog.may_feed(Duration::ZERO, true));
        dog.feed().unwrap();
        dog.goodbye().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"\0V");
    }

    #[test]
    fn one_that_is_too_slow_is_not_armed() {
        let (root, path) = device("60\n");
        let refused = Watchdog::open(&path, root.path(), Duration::from_secs(30));
        assert!(refused.is_err_and(|error| error.to_string().contains("soft_margin")));
        let (root, path) = device("soon");
        assert!(matches!(Watchdog::open(&path, root.path(), Duration::from_secs(30)), Err(Error::Timeout { .. })));
        let missing = root.path().join("watchdog1");
        assert!(Watchdog::open(&missing, root.path(), Duration::from_secs(30)).is_err());
    }
}

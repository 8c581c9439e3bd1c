//! The receiving end of `sd_notify`: a datagram socket on which a daemon says `READY=1`.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A socket for one start; its file goes with it.
#[derive(Debug)]
pub(super) struct Notify {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Notify {
    /// Binds to a path nobody else uses.
    pub(super) fn bind(path: PathBuf) -> io::Result<Self> {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self { socket: UnixDatagram::bind(&path)?, path })
    }

    /// The value of `NOTIFY_SOCKET`.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the daemon says within `wait` that it is ready.
    pub(super) fn is_ready(&self, wait: Duration) -> io::Result<bool> {
        let mut message = [0; 4096];
        self.socket.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        match self.socket.recv(&mut message) {
            Ok(length) => Ok(message[..length].split(|&byte| byte == b'\n').any(|line| line == b"READY=1")),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for Notify {
    fn drop(&mut self) {
        // A leftover is removed by the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_heard_among_other_words() {
        let path = std::env::temp_dir().join(format!("gannet-notify-{}", std::process::id()));
        let notify = Notify::bind(path.clone()).unwrap();
        let daemon = UnixDatagram::unbound().unwrap();
        daemon.send_to(b"STATUS=opening", &path).unwrap();
        assert!(!notify.is_ready(Duration::from_secs(5)).unwrap());
        daemon.send_to(b"STATUS=x\nREADY=1\nMAINPID=1", &path).unwrap();
        assert!(notify.is_ready(Duration::from_secs(5)).unwrap());
        assert!(!notify.is_ready(Duration::from_millis(1)).unwrap());
        drop(notify);
        assert!(!path.exists());
    }
}

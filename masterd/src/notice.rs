//! A socket by which a test's client takes part in a job: the job tells where it listens, and waits for the client there.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gannet_core::paths::Paths;
use tokio::io::AsyncReadExt;
use tokio::net::{UnixListener, UnixStream};

/// A socket that only root can use; it goes away with its value.
#[derive(Debug)]
pub(crate) struct Notice {
    listener: UnixListener,
    path: PathBuf,
}

impl Notice {
    /// Listens on a new socket.
    ///
    /// # Errors
    /// What keeps it from being made.
    pub(crate) fn open(paths: &Paths, name: &str) -> Result<Self, String> {
        let path = paths.socket_dir().join(format!("{name}-{}", uuid::Uuid::new_v4().simple()));
        let failed = |error: std::io::Error| format!("Cannot make the socket {}: {error}", path.display());
        let listener = UnixListener::bind(&path).map_err(failed)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { listener, path })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The client, if it connects in time.
    pub(crate) async fn accept(&self, limit: Duration) -> Option<UnixStream> {
        tokio::time::timeout(limit, self.listener.accept()).await.ok()?.ok().map(|(stream, _)| stream)
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether the client says something, or hangs up, in time.
pub(crate) async fn answered(stream: &mut UnixStream, limit: Duration) -> bool {
    // An error is a client that is gone.
    tokio::time::timeout(limit, stream.read_u8()).await.is_ok()
}

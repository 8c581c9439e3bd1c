//! The log: standard error, or a file that can be opened anew after it was rotated.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// A log file; clones write to the same one.
#[derive(Clone)]
pub struct LogFile {
    path: PathBuf,
    file: Arc<Mutex<File>>,
}

impl LogFile {
    /// Opens or creates it, readable by its owner and group only.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: Arc::new(Mutex::new(append(path)?)) })
    }

    /// Opens the path anew (after a rotation).
    ///
    /// # Errors
    /// When it cannot be opened; the old file stays in use then.
    pub fn reopen(&self) -> io::Result<()> {
        let new = append(&self.path)?;
        // one assignment: whole after a panic elsewhere
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    OpenOptions::new().create(true).append(true).mode(0o640).open(path)
}

impl Write for LogFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Starts logging: to `file`, or to standard error without one.
pub fn start(file: Option<LogFile>, debug: bool) {
    let level = if debug { "debug,h2=info,hyper=info,tower=info,rustls=info" } else { "info" };
    let filter = EnvFilter::try_from_env("GANNET_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter);
    match file {
        Some(file) => subscriber.with_ansi(false).with_writer(file).init(),
        None => subscriber.with_ansi(false).with_writer(io::stderr).init(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_rotation_the_new_file_is_written() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("log/rapi-daemon.log");
        let mut log = LogFile::open(&path).expect("open");
        log.write_all(b"one").expect("write");
        std::fs::rename(&path, directory.path().join("old")).expect("rotate");
        log.reopen().expect("reopen");
        log.write_all(b"two").expect("write");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "two");
    }
}

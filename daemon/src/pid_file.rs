//! The pid file, so that tools and the daemon starter find the process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A pid file of this process; dropping it removes it.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes the process's number, whole or not at all. An older file (of a process that died) is replaced.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(path: &Path) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let temporary = path.with_extension("pid.new");
        fs::write(&temporary, format!("{}\n", std::process::id()))?;
        fs::rename(&temporary, path)?;
        Ok(Self { path: path.to_owned() })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Only ours: a successor may have written its own by now.
        if fs::read_to_string(&self.path).is_ok_and(|text| text.trim() == std::process::id().to_string()) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_file_is_removed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("run/x.pid");
        let file = PidFile::write(&path).expect("write");
        assert_eq!(fs::read_to_string(&path).expect("read").trim(), std::process::id().to_string());
        drop(file);
        assert!(!path.exists());
        let file = PidFile::write(&path).expect("write");
        fs::write(&path, "1\n").expect("a successor");
        drop(file);
        assert!(path.exists());
    }
}

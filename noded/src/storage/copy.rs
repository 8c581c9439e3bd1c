//! Copies of disks from node to node.
//!
//! Only data travels, holes do not: each chunk says where it belongs. The digest covers all chunks with their places and
//! the length, on both ends. The copy grows beside the target disk and takes its place when it is complete and on disk,
//! so a copy that breaks off changes nothing.

mod receive;
mod send;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::Error;

pub use receive::receive;
pub use send::send;

/// Bytes in one message; well below the limit of a message.
const CHUNK: usize = 1 << 20;

/// The digest of a copy under way.
#[derive(Default)]
struct Sum(Sha256);

impl Sum {
    fn add(&mut self, offset: u64, data: &[u8]) {
        self.0.update(offset.to_le_bytes());
        self.0.update((data.len() as u64).to_le_bytes());
        self.0.update(data);
    }

    /// The digest in hex, with the length of the whole disk.
    fn finish(mut self, length: u64) -> String {
        self.add(length, &[]);
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A copy that is being written. Dropped before [`Target::commit`], it is removed.
#[derive(Debug)]
pub struct Target {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    /// The length that the copy must have, if only one fits (raw images).
    length: Option<u64>,
    done: bool,
}

impl Target {
    pub(super) fn new(file: File, temporary: PathBuf, path: PathBuf, length: Option<u64>) -> Self {
        Self { file, temporary, path, length, done: false }
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        if self.length.is_some_and(|length| offset.saturating_add(data.len() as u64) > length) {
            return Err(self.wrong_length(offset.saturating_add(data.len() as u64)));
        }
        self.file.write_all_at(data, offset).map_err(Error::io("write", &self.path))
    }

    /// Puts the copy in the disk's place.
    fn commit(mut self, length: u64) -> Result<(), Error> {
        if self.length.is_some_and(|wanted| wanted != length) {
            return Err(self.wrong_length(length));
        }
        let written = self.file.set_len(length).and_then(|()| self.file.sync_all());
        written.map_err(Error::io("write", &self.path))?;
        fs::rename(&self.temporary, &self.path).map_err(Error::io("replace", &self.path))?;
        self.done = true;
        let dir = self.path.parent().unwrap_or(&self.path);
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::io("sync", dir))
    }

    fn wrong_length(&self, length: u64) -> Error {
        let wanted = self.length.unwrap_or_default();
        Error::Invalid(format!("the copy has {length} bytes, but disk {} has {wanted}", self.path.display()))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.temporary); // nothing more can be done; the next try removes it first
        }
    }
}

#[cfg(test)]
mod tests;

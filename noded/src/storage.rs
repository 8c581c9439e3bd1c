//! Disks on this node, whichever way they are kept.
//!
//! A disk is never written over: what lies in a disk's place and is not that disk is an error. Every action may be
//! repeated, and none leaves a half-made thing behind.

pub mod allowed;
pub mod copy;
pub mod dirs;
mod diskless;
mod file;
mod image;
mod link;
pub mod list;
mod owner;
#[cfg(test)]
pub(crate) mod suite;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use gannet_core::paths::Paths;
use gannet_core::quantity::Mib;
use gannet_proto::node::{DiskRef, DiskState};

use crate::error::chain;
use crate::run;

/// Why a disk was not made, changed or found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The template exists in Ganeti, but Gannet does not serve it yet.
    #[error("disk template '{0}' is not built yet; built are file, sharedfile and diskless")]
    NotBuilt(String),
    /// The request makes no sense, whatever this node looks like.
    #[error("{0}")]
    Invalid(String),
    /// The place is not one for disks.
    #[error("{0}")]
    Forbidden(String),
    /// Something else lies in the disk's place.
    #[error("{path} is in the way: {reason}; it was left as it is", path = path.display())]
    InTheWay { path: PathBuf, reason: String },
    /// The disk is not there.
    #[error("disk {path} does not exist", path = path.display())]
    Missing { path: PathBuf },
    /// The file system has too little room.
    #[error("not enough space for {path}: {needed} needed, {free} free", path = path.display())]
    NoSpace { path: PathBuf, needed: Mib, free: Mib },
    /// The file system became full on the way.
    #[error("no space left on the file system of {path}; free some, or use another directory", path = path.display())]
    Full { path: PathBuf },
    /// The system refused.
    #[error("cannot {action} {path}", path = path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A storage program failed.
    #[error("cannot {action} {path}", path = path.display())]
    Program {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: run::Error,
    },
    /// A copy between nodes broke off.
    #[error("copy of disk {disk} failed: {reason}")]
    Copy { disk: String, reason: String },
}

impl Error {
    /// An error of the system about a path, told apart by what can be done about it.
    fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { action, path, source },
        }
    }

    /// The message with all its causes.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }
}

/// Whether a disk had to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It was made now.
    New,
    /// The very same disk was there.
    Existed,
}

/// Where a guest finds the disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assembled {
    /// The path for the guest; empty when there is none.
    pub path: String,
    /// For access without a path; empty when there is none.
    pub uri: String,
}

/// What may lie in a new disk's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InPlace {
    /// Only the disk itself, made by an earlier try.
    OnlyItself,
    /// Also a file that no disk owns: it becomes the disk, with its content.
    MayAdopt,
}

/// A disk on this node. All of its methods may be repeated.
#[async_trait]
pub trait BlockDevice: Send + Sync {
    /// Makes the disk, with all its content zero.
    async fn create(&self, place: InPlace) -> Result<Created, Error>;

    /// Removes it with its content; one that is not there is fine.
    async fn remove(&self) -> Result<(), Error>;

    /// Makes it usable on this node for `instance`.
    async fn assemble(&self, instance: &str) -> Result<Assembled, Error>;

    /// Undoes `assemble`.
    async fn shutdown(&self) -> Result<(), Error>;

    /// Grows to `size`; a disk that is as large already is left alone. `dry_run` only checks.
    async fn grow(&self, size: Mib, dry_run: bool) -> Result<(), Error>;

    /// Gives it the place of `new`.
    async fn rename(&self, new: &DiskRef) -> Result<(), Error>;

    /// How it is; a missing disk is no error.
    async fn info(&self) -> Result<DiskState, Error>;

    /// Fills a range with zeros.
    async fn wipe(&self, offset: Mib, size: Mib) -> Result<(), Error>;

    /// Where it is on this node, if it has a path.
    fn path(&self) -> Option<&Path>;

    /// Its content, to be copied to another node. Blocks.
    fn source(&self) -> Result<File, Error>;

    /// Where a copy from another node goes; it replaces the content when it is complete. Blocks.
    fn target(&self) -> Result<copy::Target, Error>;
}

/// The disk that `disk` describes, on the node with these paths. Touches nothing.
///
/// # Errors
/// `NotBuilt` for other templates, `Forbidden` for a path outside the allowed directories, `Invalid`.
pub fn open(paths: &Paths, disk: &DiskRef) -> Result<Box<dyn BlockDevice>, Error> {
    match disk.dev_type.as_str() {
        "file" | "sharedfile" => Ok(Box::new(file::FileDisk::new(paths, disk)?)),
        "diskless" => Ok(Box::new(diskless::Diskless::new(disk))),
        other => Err(Error::NotBuilt(other.to_owned())),
    }
}

/// Total and free space of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space {
    pub total: Mib,
    /// What an ordinary process may use.
    pub free: Mib,
}

/// The space around `path`.
///
/// # Errors
/// When the path does not exist or cannot be asked.
pub fn space(path: &Path) -> Result<Space, io::Error> {
    if let Some(world) = gannet_daemon::world::get() {
        let (total, free) = world.machine().disk_bytes;
        return Ok(Space { total: Mib::from_bytes_floor(total), free: Mib::from_bytes_floor(free) });
    }
    let stat = nix::sys::statvfs::statvfs(path)?;
    let mib = |blocks: u64| Mib::from_bytes_floor(blocks.saturating_mul(stat.fragment_size()));
    Ok(Space { total: mib(stat.blocks()), free: mib(stat.blocks_available()) })
}

/// Runs what blocks (files, directories) beside the asynchronous work.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match gannet_daemon::work::blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::Invalid(format!("storage work broke off: {error}"))),
    }
}

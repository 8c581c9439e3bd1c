//! What a simulator puts in the place of the network, other programs and threads.
//!
//! Daemons reach other machines through [`crate::net`] and leave slow work to [`crate::work`]. In a daemon's own process these are the
//! system's; in the simulator's process, which runs the daemons of many machines in one thread, they ask the [`World`] that it
//! has put here before anything else. A program that calls [`replace`] nowhere has none.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::net::Duplex;

/// An answer that may take time.
pub type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// Connections that others have opened, and from where.
pub type Incoming = UnboundedReceiver<(Box<dyn Duplex>, SocketAddr)>;

/// How a program ended: its exit status and what it wrote to standard output.
pub type ProgramEnd = (i32, Vec<u8>);

/// A mistake that the simulator makes on purpose, to see that it would notice. Without a world there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// Nodes obey masters of the past.
    EpochUnchecked,
    /// The log of the state is not synced.
    NoSync,
    /// The vote of a member is not kept.
    VoteForgotten,
    /// Jobs keep no journal of their steps.
    NoJournal,
    /// Locks are given to everybody.
    LocksIgnored,
    /// Writes apply although what they were based on has changed.
    ConditionsIgnored,
    /// A submission is acknowledged before it is on disk.
    EarlyAck,
}

/// Something that the simulator wants to know when it happens.
#[derive(Debug)]
pub enum Seen<'a> {
    /// A node has accepted a call of a master.
    Obeyed {
        /// The master's epoch.
        epoch: u64,
        /// The master's address.
        from: Option<SocketAddr>,
        /// The node.
        node: &'a str,
    },
    /// A job has got its locks.
    Locked {
        /// Which job.
        job: u64,
        /// Kind and name of each lock, and whether the job shares it.
        locks: &'a [(String, bool)],
    },
    /// A job has given its locks back.
    Unlocked {
        /// Which job.
        job: u64,
    },
}

/// A machine as its kernel describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// All of its memory, in MiB.
    pub memory_mib: u64,
    /// What of it is free.
    pub free_mib: u64,
    /// Processors.
    pub cpus: u32,
    /// Changes with each start.
    pub boot_id: String,
    /// Bytes of each file system, and how many of them are free.
    pub disk_bytes: (u64, u64),
}

/// All of the outside that can be replaced.
pub trait World: Send + Sync {
    /// Opens a connection from the machine whose daemon runs at this moment.
    fn connect(&self, to: SocketAddr) -> Answer<io::Result<Box<dyn Duplex>>>;
    /// Takes an address of that machine.
    ///
    /// # Errors
    /// The address is in use.
    fn listen(&self, at: SocketAddr) -> io::Result<Incoming>;
    /// Runs a program there.
    fn program(&self, program: OsString, arguments: Vec<OsString>) -> Answer<io::Result<ProgramEnd>>;
    /// That machine.
    fn machine(&self) -> Machine;
    /// How long the next write to that machine's disk takes.
    fn disk_delay(&self) -> Duration;
    /// Whether this mistake is to be made.
    fn makes(&self, mistake: Mistake) -> bool;
    /// Takes note.
    fn sees(&self, seen: Seen<'_>);
}

static WORLD: OnceLock<Box<dyn World>> = OnceLock::new();

/// Puts a world in the place of the system's, for the rest of this process.
///
/// # Panics
/// There is one already.
pub fn replace(world: Box<dyn World>) {
    assert!(WORLD.set(world).is_ok(), "the world can be replaced once");
}

/// The world that replaces the system, if one does.
#[must_use]
pub fn get() -> Option<&'static dyn World> {
    WORLD.get().map(AsRef::as_ref)
}

/// Whether a mistake is to be made here, on purpose.
#[must_use]
pub fn makes(mistake: Mistake) -> bool {
    get().is_some_and(|world| world.makes(mistake))
}

//! What libvirt says about a domain.

use std::time::Duration;

/// Why a domain is shut off (`virDomainShutoffReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// Not known: never started, or the node lost power while it ran.
    Unknown,
    /// The guest powered itself off, asked or not.
    Shutdown,
    /// Ended by [`crate::Domain::destroy`].
    Destroyed,
    /// QEMU died or the guest crashed.
    Crashed,
    Migrated,
    Saved,
    /// It could not be started.
    Failed,
    FromSnapshot,
    /// The daemon lost it.
    Daemon,
    Other(i32),
}

/// Why a domain is paused (`virDomainPausedReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PauseReason {
    Unknown,
    User,
    /// Being migrated: an incoming half, or the last moment of an outgoing one.
    Migration,
    Save,
    Dump,
    /// Disk I/O error, for example a full disk.
    IoError,
    Watchdog,
    FromSnapshot,
    ShuttingDown,
    Snapshot,
    Crashed,
    StartingUp,
    PostCopy,
    PostCopyFailed,
    Other(i32),
}

/// `virDomainState`, with its reason where one matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    NoState,
    Running,
    Blocked,
    Paused(PauseReason),
    /// On its way down.
    ShuttingDown,
    ShutOff(StopReason),
    Crashed,
    /// Suspended to memory by the guest.
    Suspended,
    Other(i32),
}

impl State {
    /// There is a QEMU process.
    pub fn is_active(self) -> bool {
        !matches!(self, State::ShutOff(_) | State::NoState)
    }

    pub(crate) fn from_raw(state: i32, reason: i32) -> State {
        match state {
            0 => State::NoState,
            1 => State::Running,
            2 => State::Blocked,
            3 => State::Paused(PauseReason::from_raw(reason)),
            4 => State::ShuttingDown,
            5 => State::ShutOff(StopReason::from_raw(reason)),
            6 => State::Crashed,
            7 => State::Suspended,
            other => State::Other(other),
        }
    }
}

impl StopReason {
    pub(crate) fn from_raw(raw: i32) -> StopReason {
        match raw {
            0 => StopReason::Unknown,
            1 => StopReason::Shutdown,
            2 => StopReason::Destroyed,
            3 => StopReason::Crashed,
            4 => StopReason::Migrated,
            5 => StopReason::Saved,
            6 => StopReason::Failed,
            7 => StopReason::FromSnapshot,
            8 => StopReason::Daemon,
            other => StopReason::Other(other),
        }
    }
}

impl PauseReason {
    fn from_raw(raw: i32) -> PauseReason {
        match raw {
            0 => PauseReason::Unknown,
            1 => PauseReason::User,
            2 => PauseReason::Migration,
            3 => PauseReason::Save,
            4 => PauseReason::Dump,
            5 => PauseReason::IoError,
            6 => PauseReason::Watchdog,
            7 => PauseReason::FromSnapshot,
            8 => PauseReason::ShuttingDown,
            9 => PauseReason::Snapshot,
            10 => PauseReason::Crashed,
            11 => PauseReason::StartingUp,
            12 => PauseReason::PostCopy,
            13 => PauseReason::PostCopyFailed,
            other => PauseReason::Other(other),
        }
    }
}

/// One domain, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainInfo {
    pub name: String,
    /// Lower case, with hyphens.
    pub uuid: String,
    pub state: State,
    /// Current balloon size.
    pub memory_mib: u64,
    pub max_memory_mib: u64,
    pub vcpus: u32,
    /// CPU time used since start, 0 when not running.
    pub cpu_time: Duration,
}

/// Sizes of a disk in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockInfo {
    /// What the guest sees.
    pub capacity: u64,
    /// What is occupied on the node.
    pub allocation: u64,
    /// Size of the container (file length, device size).
    pub physical: u64,
}

//! What a libvirtd tells without being asked.

use std::sync::Arc;

use crate::state::{DomainInfo, StopReason};

/// Something happened at this libvirtd. Events are hints: they may be missed (a slow receiver gets `Lagged`, a lost
/// connection replays nothing), so state is always read again before it is acted upon.
#[derive(Debug, Clone)]
pub enum Event {
    /// The connection is up (again); this is everything that exists now.
    Connected(Arc<[DomainInfo]>),
    /// The connection was lost; reconnecting.
    Disconnected,
    Lifecycle {
        domain: String,
        uuid: String,
        change: Lifecycle,
    },
    /// The guest rebooted.
    Rebooted {
        domain: String,
    },
    /// The guest gave a device up; `alias` names it as in the live XML.
    DeviceRemoved {
        domain: String,
        alias: String,
    },
    /// The guest refused to give a device up.
    DeviceRemovalFailed {
        domain: String,
        alias: String,
    },
    /// A block job ended or became ready. `status`: 0 completed, 1 failed, 2 canceled, 3 ready.
    BlockJob {
        domain: String,
        disk: String,
        kind: i32,
        status: i32,
    },
    /// QEMU met a disk error, `reason` for example `enospc`.
    IoError {
        domain: String,
        path: String,
        alias: String,
        reason: String,
    },
}

/// A change of state. At start `Resumed` comes *before* `Started`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    Defined,
    Undefined,
    /// `migrated` when it arrived from another node.
    Started {
        migrated: bool,
    },
    Suspended {
        migrated: bool,
    },
    Resumed {
        migrated: bool,
    },
    Stopped(StopReason),
    /// The guest finished its shutdown; `Stopped` follows.
    Shutdown,
    Crashed,
    Other(i32),
}

impl Lifecycle {
    pub(crate) fn from_raw(event: i32, detail: i32) -> Lifecycle {
        match event {
            0 => Lifecycle::Defined,
            1 => Lifecycle::Undefined,
            2 => Lifecycle::Started { migrated: detail == 1 },
            3 => Lifecycle::Suspended { migrated: detail == 1 },
            4 => Lifecycle::Resumed { migrated: detail == 1 },
            5 => Lifecycle::Stopped(stopped(detail)),
            6 => Lifecycle::Shutdown,
            8 => Lifecycle::Crashed,
            other => Lifecycle::Other(other),
        }
    }
}

/// `virDomainEventStoppedDetailType`, which counts differently from `virDomainShutoffReason`.
fn stopped(detail: i32) -> StopReason {
    match detail {
        0 => StopReason::Shutdown,
        1 => StopReason::Destroyed,
        2 => StopReason::Crashed,
        3 => StopReason::Migrated,
        4 => StopReason::Saved,
        5 => StopReason::Failed,
        6 => StopReason::FromSnapshot,
        other => StopReason::Other(other),
    }
}

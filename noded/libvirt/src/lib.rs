//! libvirt for a node agent: the only crate of the tree that links it, and the only one with `unsafe` code.
//!
//! * [`Connection`] reaches one libvirtd, reconnects by itself and tells what happens there ([`Event`]).
//! * [`Domain`] is a name with operations. It holds nothing open, so it never goes stale.
//! * [`DomainSpec`] becomes domain XML here and nowhere else.
//!
//! Three facts of libvirt shape this crate:
//!
//! 1. **Every call can hang** (with its guest, or with the daemon). So each one runs on a worker thread of its guest, has
//!    a deadline, and a call whose deadline passed before its turn is never started. A hung guest has three workers of its
//!    own (see [`worker`](crate::Connection)) and blocks nobody else.
//! 2. **Events are not replayed.** After each (re)connection [`Event::Connected`] carries the list of all domains.
//! 3. **A domain that ended must still say why** (did its user shut it down, or did it crash?). So domains are made
//!    *persistent*: [`Domain::start`] defines and starts, [`Domain::stop`] ends and undefines. What the guest ended by
//!    itself stays listed as [`State::ShutOff`] with its [`StopReason`] until `stop` or the next `start`. Both may be
//!    repeated at will.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a test may panic

mod capabilities;
mod connection;
mod console;
mod domain;
mod error;
mod event;
mod ffi;
mod live;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod watch;
mod worker;
mod xml;

pub use capabilities::Capabilities;
pub use connection::{Connection, NodeInfo, Options, Versions};
pub use console::Console;
pub use domain::Domain;
pub use domain::lifecycle::{Started, Stopped};
pub use domain::migrate::{Job, JobKind, Migration, Route};
pub use error::Error;
pub use event::{Event, Lifecycle};
pub use live::{Graphics as LiveGraphics, LiveDisk, LiveNic};
pub use spec::*;
pub use state::{BlockInfo, DomainInfo, PauseReason, State, StopReason};

//! The lease of this node: how instances with automatic failover end here before a master may start them elsewhere.
//!
//! ```text
//!   master ── Lease ──> agent ── socket ──> keeper ── ends guests when the lease is over
//!                         └─ Begin … start … end of the connection ─┘
//! ```
//!
//! The *keeper* is a process of its own: the agent may be killed, stand still, or be replaced by a newer one, and the guests are
//! ended in time all the same. It knows one thing, until when, and only ever learns a later moment. Whoever starts or receives a
//! guest that is guarded asks the keeper first and holds the connection until it is done. When the lease ends while such a
//! connection is open, whoever holds it is killed before guests are ended: an agent that stood still between its question and
//! the start can start nothing afterwards.
//!
//! `gannet_core::lease` has the argument why this is early enough. What the keeper cannot do: a machine that stood still as a
//! whole wakes up with its guests running, and they may do something in the moment until the keeper acts; and whoever kills
//! the keeper and the agent together leaves guests that nobody ends. A watchdog device ([`watchdog`]) covers the second, and
//! power that is taken away by an out-of-band program both.

mod client;
mod clock;
mod keeper;
mod message;
mod state;
mod watchdog;

pub use client::{Client, Permit};
pub use clock::{BootClock, Clock};
pub use keeper::run;
pub use message::{Answer, Guest, Stamp};
pub use state::{Grant, Lease};

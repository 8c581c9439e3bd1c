//! NICs of guests, on the node's side: what a NIC is tied to, and what has to be set up around its tap device.

mod files;
mod setup;

pub use files::{NicFiles, device_name};
pub use setup::{Owner, check, needs_setup, set_up, user_script};

/// Why a NIC cannot be connected here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The network device that it is to be tied to does not exist.
    #[error("node {node} has no bridge {link}, which {nic} is to be tied to; create it, or change the link")]
    NoBridge { node: String, link: String, nic: String },
    /// Open vSwitch is not installed, or has no such switch.
    #[error("node {node} cannot tie {nic} to Open vSwitch {link}: {reason}")]
    NoSwitch { node: String, link: String, nic: String, reason: String },
    /// A mode or combination that is not known.
    #[error("{nic}: {reason}")]
    Invalid { nic: String, reason: String },
    /// `ip` or the operator's script failed.
    #[error("{nic} could not be set up on node {node}: {source}")]
    Program {
        node: String,
        nic: String,
        #[source]
        source: crate::run::Error,
    },
}

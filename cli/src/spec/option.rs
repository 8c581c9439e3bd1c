//! Every option there is, by name. What an option means is the same in all sub-commands that have it.

mod cluster;
mod instance;
mod other;
mod shared;

pub use cluster::*;
pub use instance::*;
pub use other::*;
pub use shared::*;

//! Opcodes about nodes.

mod add;
mod evacuate;
mod migrate;
mod modify_storage;
mod oob_command;
mod powercycle;
mod query_storage;
mod queryvols;
mod remove;
mod repair_storage;
mod restricted_command;
mod set_params;

pub use add::NodeAdd;
pub use evacuate::{EvacMode, NodeEvacuate};
pub use migrate::NodeMigrate;
pub use modify_storage::NodeModifyStorage;
pub use oob_command::{OobAction, OobCommand};
pub use powercycle::NodePowercycle;
pub use query_storage::NodeQueryStorage;
pub use queryvols::NodeQueryvols;
pub use remove::NodeRemove;
pub use repair_storage::RepairNodeStorage;
pub use restricted_command::RestrictedCommand;
pub use set_params::NodeSetParams;

//! Opcodes about node groups.

mod add;
mod assign_nodes;
mod evacuate;
mod remove;
mod rename;
mod set_params;
mod verify_disks;

pub use add::GroupAdd;
pub use assign_nodes::GroupAssignNodes;
pub use evacuate::GroupEvacuate;
pub use remove::GroupRemove;
pub use rename::GroupRename;
pub use set_params::GroupSetParams;
pub use verify_disks::GroupVerifyDisks;

//! Opcodes about networks.

mod add;
mod connect;
mod disconnect;
mod remove;
mod rename;
mod set_params;

pub use add::NetworkAdd;
pub use connect::NetworkConnect;
pub use disconnect::NetworkDisconnect;
pub use remove::NetworkRemove;
pub use rename::NetworkRename;
pub use set_params::NetworkSetParams;

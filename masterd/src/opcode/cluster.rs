//! Opcodes about the whole cluster.

mod config_query;
mod destroy;
mod master_ip;
mod post_init;
mod query;
mod redist_conf;
mod set_params;
mod verify;
mod verify_config;
mod verify_disks;
mod verify_group;
pub(in crate::opcode) mod verify_report;

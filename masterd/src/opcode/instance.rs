//! Opcodes about instances.

mod activate_disks;
mod console;
mod create;
mod deactivate_disks;
mod failover;
mod grow_disk;
mod migrate;
mod r#move;
mod moving;
mod multi_alloc;
mod os_params;
mod query_data;
mod reboot;
mod recreate_disks;
mod reinstall;
mod remove;
mod rename;
mod set_params;
mod shutdown;
mod startup;
mod subject;

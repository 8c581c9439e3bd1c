//! Opcodes about instances.

mod activate_disks;
mod console;
mod create;
mod deactivate_disks;
mod failover;
mod migrate;
mod moving;
mod multi_alloc;
mod reboot;
mod remove;
mod shutdown;
mod startup;
mod subject;

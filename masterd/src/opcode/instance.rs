//! Opcodes about instances.

mod console;
mod failover;
mod migrate;
mod moving;

//! The master daemon: LUXI, the job queue, locks, opcodes and queries over the replicated state.
#![forbid(unsafe_code)]

pub mod bootstrap;
pub mod clock;
pub mod console;
pub mod daemon;
pub mod effect;
pub mod export;
pub mod held;
pub mod hooks;
pub mod job;
pub mod join;
pub mod lock;
pub mod luxi;
pub mod master;
pub mod master_ip;
mod members;
pub mod node;
mod node_death;
mod notice;
pub mod opcode;
pub mod options;
pub mod pki;
pub mod query;
pub mod refusal;
mod relay;
pub mod reserve;
pub mod resolve;
pub mod rule;
mod standby;
pub mod store;
pub mod take_over;
pub mod unit;

//! The master daemon: LUXI, the job queue, locks, opcodes and queries over the replicated state.
#![forbid(unsafe_code)]

pub mod clock;
pub mod daemon;
pub mod effect;
mod fault;
pub mod held;
pub mod hooks;
pub mod job;
pub mod lock;
pub mod luxi;
pub mod master;
pub mod master_ip;
pub mod node;
pub mod opcode;
pub mod options;
pub mod query;
pub mod refusal;
pub mod reserve;
pub mod rule;
pub mod store;
pub mod unit;

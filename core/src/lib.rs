//! The domain of Gannet: names, quantities, the configuration tree, parameters, opcodes, jobs, errors, the query
//! language and the LUXI messages.
//!
//! Nothing here reads a clock, opens a file or a socket, or knows a runtime. The one exception is asked for by name:
//! the features `client` and `client-async` add a LUXI client for the command line and for gannet-rapi.
#![forbid(unsafe_code)]

pub mod auto_failover;
pub mod config;
pub mod error;
pub mod id;
pub mod job;
pub mod lease;
pub mod lock;
pub mod luxi;
pub mod name;
pub mod opcode;
pub mod param;
pub mod paths;
pub mod quantity;
pub mod query;
pub mod tag;

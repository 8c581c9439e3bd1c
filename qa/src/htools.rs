//! Ganeti's placement tools beside ours: clusters from a seed, command lines for them, and what both programs said.
//!
//! The reference is Debian's package `ganeti-htools`. Its text, exit code and files are compared whole; only the wording of
//! error messages is our own.

pub mod command;
pub mod compare;
pub mod generate;
pub mod iallocator;
pub mod luxi;
pub mod model;
pub mod mond;
pub mod text;

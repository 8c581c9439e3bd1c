//! Opcodes about tags.

mod del;
mod get;
mod object;
mod search;
mod set;

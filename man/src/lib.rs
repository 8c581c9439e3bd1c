//! Manual pages, and the table of what works (`docs/status.md`).
//!
//! What can drift is not written by hand: sub-commands and options come from the tables of `gannet_cli`, the placement tools'
//! options from `gannet_htools`, the daemons' options from the source of their `Options`, and what is built from the master's dispatch. Prose is in `man/pages/*.md`.
#![forbid(unsafe_code)]

pub mod command;
pub mod daemon;
pub mod page;
pub mod prose;
pub mod roff;
pub mod status;
pub mod tool;

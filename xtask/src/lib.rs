//! What `cargo xtask` can do: bring up a cluster on one machine, show the main job on it, and run all tests.
//!
//! Also a library, so that the tests in `qa/` can bring up clusters and follow guests without a second copy of this code.
//! It talks to Gannet only as an operator does, through its programs; it links none of its crates.

#![forbid(unsafe_code)]

pub mod build;
pub mod cli;
pub mod demo;
pub mod fake;
pub mod interrupt;
pub mod lab;
pub mod packages;
pub mod process;
pub mod repo;
pub mod run;
pub mod say;
pub mod sim;
pub mod test;
pub mod tidy;
pub mod vnode;

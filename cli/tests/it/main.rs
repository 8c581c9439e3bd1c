//! Command lines in, output and exit code out, against a master that answers what the test tells it.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

mod console;
mod contract;
mod daemon_util;
mod errors;
mod help;
mod info;
mod jobs;
mod opcodes;
mod support;
mod tables;
mod units;

//! Command lines in, output and exit code out, against a master that answers what the test tells it.

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

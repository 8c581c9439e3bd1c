//! Rules that several opcodes share: free functions that take values and return values, and checks that ask nodes.

pub mod hook_env;
pub(crate) mod job_filter;
pub mod node_check;
pub mod os_limit;
pub mod place;
pub mod pool;
pub mod role;
#[cfg(test)]
pub(crate) mod sample;
pub mod settings;
pub mod spec;

//! Opcodes for tests of the machinery.

mod delay;
mod jqueue;
mod os_params;

pub(in crate::opcode) use jqueue::announced;

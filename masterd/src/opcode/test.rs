//! Opcodes for tests of the machinery.

mod delay;

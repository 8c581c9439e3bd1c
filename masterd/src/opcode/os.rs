//! Opcodes about OS definitions.

mod diagnose;

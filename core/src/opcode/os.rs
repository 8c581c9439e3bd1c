//! Opcodes about OS definitions.

mod diagnose;

pub use diagnose::OsDiagnose;

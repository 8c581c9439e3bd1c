//! Opcodes about external storage providers.

mod diagnose;

pub use diagnose::ExtStorageDiagnose;

//! Opcodes about exports.

mod export;
mod prepare;
mod remove;

pub use export::{BackupExport, ExportMode, ExportTarget};
pub use prepare::BackupPrepare;
pub use remove::BackupRemove;

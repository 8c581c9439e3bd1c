//! `OP_BACKUP_PREPARE`: prepares an export, making the keys a remote export needs.

use serde::{Deserialize, Serialize};

use crate::opcode::{ExportMode, Parameters, check};

/// Parameters of `OP_BACKUP_PREPARE`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupPrepare {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// Whether the export stays in this cluster.
    pub mode: ExportMode,
}

impl BackupPrepare {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>, mode: ExportMode) -> Self {
        Self { instance_name: instance_name.into(), instance_uuid: None, mode }
    }
}

impl Parameters for BackupPrepare {
    const OP_ID: &'static str = "OP_BACKUP_PREPARE";

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}

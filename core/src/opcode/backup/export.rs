//! `OP_BACKUP_EXPORT`: writes the disks of an instance to an export on a node, or sends them to another cluster.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::opcode::{HookPath, HookType, Parameters, check, default};
use crate::param::closed_set;

/// Parameters of `OP_BACKUP_EXPORT`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupExport {
    /// Name of the instance; a unique beginning is enough.
    pub instance_name: String,
    /// UUID of the instance, filled in by the master; `None` lets it look up the name.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub instance_uuid: Option<String>,
    /// Compression tool for data on its way; `none` for none.
    #[serde(default = "default::no_compression")]
    pub compress: String,
    /// How long the guest may take to shut down, in seconds.
    #[serde(default = "default::shutdown_timeout")]
    pub shutdown_timeout: u64,
    /// Where to: a node, or for a remote export the addresses of the receiving disks.
    pub target_node: ExportTarget,
    /// UUID of the target node, filled in by the master.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub target_node_uuid: Option<String>,
    /// Stop the guest first, for consistent data.
    #[serde(default = "default::yes")]
    pub shutdown: bool,
    /// Remove the instance when the export has succeeded.
    #[serde(default)]
    pub remove_instance: bool,
    /// Go on when removing meets errors.
    #[serde(default)]
    pub ignore_remove_failures: bool,
    /// Whether the export stays in this cluster.
    #[serde(default)]
    pub mode: ExportMode,
    /// Key and certificate that a remote export uses: name, HMAC digest and salt.
    pub x509_key_name: Option<Vec<Value>>,
    /// Signed certificate authority of the receiving cluster, in PEM.
    #[serde(default, deserialize_with = "check::maybe_nonempty")]
    pub destination_x509_ca: Option<String>,
    /// Overwrite free space of the file systems with zeroes before exporting.
    #[serde(default)]
    pub zero_free_space: bool,
    /// Fixed part of the time that zeroing may take, in seconds.
    pub zeroing_timeout_fixed: Option<i64>,
    /// Part of the time that zeroing may take that grows with the disks, in seconds per MiB.
    pub zeroing_timeout_per_mib: Option<f64>,
    /// Keep the guest down until the export is complete, instead of using snapshots.
    #[serde(default)]
    pub long_sleep: bool,
}

impl BackupExport {
    /// With everything that has a default at its default.
    #[must_use]
    pub fn new(instance_name: impl Into<String>, target_node: ExportTarget) -> Self {
        Self {
            instance_name: instance_name.into(),
            instance_uuid: None,
            compress: default::no_compression(),
            shutdown_timeout: default::SHUTDOWN_TIMEOUT_S,
            target_node,
            target_node_uuid: None,
            shutdown: true,
            remove_instance: false,
            ignore_remove_failures: false,
            mode: ExportMode::Local,
            x509_key_name: None,
            destination_x509_ca: None,
            zero_free_space: false,
            zeroing_timeout_fixed: None,
            zeroing_timeout_per_mib: None,
            long_sleep: false,
        }
    }
}

impl Parameters for BackupExport {
    const OP_ID: &'static str = "OP_BACKUP_EXPORT";
    const HOOKS: Option<(HookPath, HookType)> = Some((HookPath::InstanceExport, HookType::Instance));

    fn subject(&self) -> Option<String> {
        Some(self.instance_name.clone())
    }
}

closed_set! {
    /// Whether an export stays in the cluster.
    #[derive(Default)]
    pub enum ExportMode ("export mode") {
        /// To a node of this cluster.
        #[default]
        Local = "local",
        /// To another cluster.
        Remote = "remote",
    }
}

/// Where an export goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ExportTarget {
    /// A node of this cluster.
    Node(#[serde(deserialize_with = "check::nonempty")] String),
    /// One address per disk: `[host, port, magic, digest, salt]`.
    Remote(Vec<Value>),
}

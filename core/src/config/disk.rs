//! Disks of instances.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ParamMap, Stamps};
use crate::id::{DiskUuid, NodeUuid};
use crate::quantity::Mib;

/// Whether the guest may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DiskMode {
    #[default]
    #[serde(rename = "rw")]
    ReadWrite,
    #[serde(rename = "ro")]
    ReadOnly,
}

impl DiskMode {
    /// `rw` or `ro`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadWrite => "rw",
            Self::ReadOnly => "ro",
        }
    }
}

/// Where a disk's data is; its form depends on `dev_type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogicalId {
    /// Volume group and logical volume.
    Plain { vg: String, lv: String },
    /// Two nodes, port, minors, secret.
    Drbd { node_a: NodeUuid, node_b: NodeUuid, port: u16, minor_a: u32, minor_b: u32, secret: String },
    /// Driver (`loop`, `blktap`, `blktap2`) and path: file, sharedfile, gluster, blockdev.
    File { driver: String, path: String },
    /// Pool and image.
    Rbd { pool: String, name: String },
    /// Provider and volume.
    Ext { provider: String, name: String },
}

impl LogicalId {
    fn to_json(&self) -> Value {
        match self {
            Self::Plain { vg, lv } => json!([vg, lv]),
            Self::Drbd { node_a, node_b, port, minor_a, minor_b, secret } => json!([node_a, node_b, port, minor_a, minor_b, secret]),
            Self::File { driver, path } => json!([driver, path]),
            Self::Rbd { pool, name } => json!([pool, name]),
            Self::Ext { provider, name } => json!([provider, name]),
        }
    }

    fn from_json(dev_type: &str, value: Value) -> Result<Self, String> {
        fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
            serde_json::from_value(value).map_err(|error| format!("logical_id: {error}"))
        }
        Ok(match dev_type {
            "plain" => parse::<(String, String)>(value).map(|(vg, lv)| Self::Plain { vg, lv })?,
            "drbd" | "drbd8" => {
                let (node_a, node_b, port, minor_a, minor_b, secret) = parse(value)?;
                Self::Drbd { node_a, node_b, port, minor_a, minor_b, secret }
            }
            "file" | "sharedfile" | "gluster" | "blockdev" => {
                parse::<(String, String)>(value).map(|(driver, path)| Self::File { driver, path })?
            }
            "rbd" => parse::<(String, String)>(value).map(|(pool, name)| Self::Rbd { pool, name })?,
            "ext" => parse::<(String, String)>(value).map(|(provider, name)| Self::Ext { provider, name })?,
            other => return Err(format!("unknown disk type '{other}'")),
        })
    }

    /// The path of a file-like disk.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::File { path, .. } => Some(path),
            _ => None,
        }
    }
}

/// A disk as configured. DRBD disks carry their two volumes in `children`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawDisk", into = "RawDisk")]
pub struct Disk {
    /// Ganeti's disk template word, e.g. `sharedfile`.
    pub dev_type: String,
    pub logical_id: LogicalId,
    pub children: Vec<Disk>,
    /// Nodes that hold data of it; empty for storage outside the nodes (sharedfile, rbd, ext).
    pub nodes: Vec<NodeUuid>,
    /// `disk/0`, `disk/1`…
    pub iv_name: String,
    pub size: Mib,
    pub mode: DiskMode,
    pub name: Option<String>,
    pub spindles: Option<u32>,
    /// `format` (raw, qcow2) for file-based disks, and the filled disk parameters.
    pub params: ParamMap,
    pub uuid: DiskUuid,
    pub stamps: Stamps,
}

#[derive(Clone, Serialize, Deserialize)]
struct RawDisk {
    dev_type: String,
    logical_id: Value,
    #[serde(default)]
    children: Vec<Disk>,
    #[serde(default)]
    nodes: Vec<NodeUuid>,
    #[serde(default)]
    iv_name: String,
    size: Mib,
    #[serde(default)]
    mode: DiskMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spindles: Option<u32>,
    #[serde(default, skip_serializing_if = "ParamMap::is_empty")]
    params: ParamMap,
    uuid: DiskUuid,
    #[serde(flatten)]
    stamps: Stamps,
}

impl TryFrom<RawDisk> for Disk {
    type Error = String;

    fn try_from(raw: RawDisk) -> Result<Self, String> {
        Ok(Self {
            logical_id: LogicalId::from_json(&raw.dev_type, raw.logical_id)?,
            dev_type: raw.dev_type,
            children: raw.children,
            nodes: raw.nodes,
            iv_name: raw.iv_name,
            size: raw.size,
            mode: raw.mode,
            name: raw.name,
            spindles: raw.spindles,
            params: raw.params,
            uuid: raw.uuid,
            stamps: raw.stamps,
        })
    }
}

impl From<Disk> for RawDisk {
    fn from(disk: Disk) -> Self {
        Self {
            logical_id: disk.logical_id.to_json(),
            dev_type: disk.dev_type,
            children: disk.children,
            nodes: disk.nodes,
            iv_name: disk.iv_name,
            size: disk.size,
            mode: disk.mode,
            name: disk.name,
            spindles: disk.spindles,
            params: disk.params,
            uuid: disk.uuid,
            stamps: disk.stamps,
        }
    }
}

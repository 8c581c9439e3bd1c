//! The fields of the cluster, in the order of their names.

use super::Row;
use crate::query::FieldKind::{Bool, Number, Other, Text, Timestamp};

pub(super) const DEFAULT: &[&str] = &[];

pub(super) const FIELDS: &[Row] = &[
    ("architecture", "ArchInfo", Other, "Machine architecture of the master"),
    ("cluster_name", "Name", Text, "Older name of name"),
    ("config_version", "ConfigVersion", Number, "Version of the configuration"),
    ("ctime", "CTime", Timestamp, "When it was created"),
    ("drain_flag", "QueueDrained", Bool, "Whether the job queue takes no new jobs"),
    ("export_version", "ExportVersion", Number, "Version of the export format"),
    ("master_node", "Master", Text, "The master"),
    ("mtime", "MTime", Timestamp, "When it was last changed"),
    ("name", "Name", Text, "Name of the cluster"),
    ("os_api_version", "OsApiVersion", Number, "Newest supported version of the OS interface"),
    ("protocol_version", "ProtocolVersion", Number, "Version of the protocol between daemons"),
    ("software_version", "SoftwareVersion", Text, "Version of the software"),
    ("tags", "Tags", Other, "Its tags"),
    ("vcs_version", "VCSVersion", Text, "Version control revision of the software"),
    ("volume_group_name", "VgName", Text, "LVM volume group"),
    ("watcher_pause", "WatcherPause", Timestamp, "Until when the watcher is paused"),
];

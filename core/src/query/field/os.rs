//! The fields of an operating system definition, in the order of their names.

use super::Row;
use crate::query::FieldKind::{Bool, Other, Text};

pub(super) const DEFAULT: &[&str] = &["name"];

pub(super) const FIELDS: &[Row] = &[
    ("api_versions", "ApiVersions", Other, "Versions of the OS interface it supports on all nodes"),
    ("blacklisted", "Blacklisted", Bool, "Whether it may not be used"),
    ("hidden", "Hidden", Bool, "Whether lists leave it out"),
    ("name", "Name", Text, "Name of the operating system"),
    ("node_status", "NodeStatus", Other, "State on each node"),
    ("os_hvp", "OsHypervisorParams", Other, "Hypervisor parameters for this OS"),
    ("osparams", "OsParameters", Other, "OS parameters set for it on the cluster"),
    ("parameters", "Parameters", Other, "Parameters it takes"),
    ("trusted", "Trusted", Bool, "Whether its scripts may run outside an isolated environment"),
    ("valid", "Valid", Bool, "Whether it is usable on all nodes"),
    ("variants", "Variants", Other, "Its variants"),
];

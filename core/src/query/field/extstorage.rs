//! The fields of an external storage provider, in the order of their names.

use super::Row;
use crate::query::FieldKind::{Other, Text};

pub(super) const DEFAULT: &[&str] = &["name"];

pub(super) const FIELDS: &[Row] = &[
    ("name", "Name", Text, "Name of the provider"),
    ("node_status", "NodeStatus", Other, "State on each node"),
    ("nodegroup_status", "NodegroupStatus", Other, "State in each node group"),
    ("parameters", "Parameters", Other, "Parameters it takes"),
];

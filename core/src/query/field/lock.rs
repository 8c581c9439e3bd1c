//! The fields of a lock, in the order of their names.

use super::Row;
use crate::query::FieldKind::Other;

pub(super) const DEFAULT: &[&str] = &["name", "mode", "owner", "pending"];

pub(super) const FIELDS: &[Row] = &[
    ("mode", "Mode", Other, "How it is held: exclusive or shared"),
    ("name", "Name", Other, "Name of the lock"),
    ("owner", "Owner", Other, "Jobs that hold it"),
    ("pending", "Pending", Other, "Jobs that wait for it: mode and jobs"),
];

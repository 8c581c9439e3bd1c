//! The fields of a backup, in the order of their names.

use super::Row;
use crate::query::FieldKind::Text;

pub(super) const DEFAULT: &[&str] = &["node", "export"];

pub(super) const FIELDS: &[Row] =
    &[("export", "Export", Text, "Name of the exported instance"), ("node", "Node", Text, "Node that stores it")];

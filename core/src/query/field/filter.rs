//! The fields of a job filter rule, in the order of their names.

use super::Row;
use crate::query::FieldKind::Other;

pub(super) const DEFAULT: &[&str] = &["uuid", "watermark", "priority", "predicates", "action", "reason_trail"];

pub(super) const FIELDS: &[Row] = &[
    ("action", "Action", Other, "What happens to a job that fits: ACCEPT, CONTINUE, PAUSE, REJECT or RATE_LIMIT"),
    ("predicates", "Predicates", Other, "Conditions on jobs; all must hold"),
    ("priority", "Priority", Other, "Order of the rules, lowest first"),
    ("reason_trail", "ReasonTrail", Other, "Why the rule was made"),
    ("uuid", "UUID", Other, "UUID of the rule"),
    ("watermark", "Watermark", Other, "Last job that was in the queue when the rule was made"),
];

//! Job filter rules.

use std::sync::Arc;

use gannet_core::config::{Config, FilterRule};
use gannet_core::error::{ErrorCode, WireError};
use gannet_core::query::Resource;

use super::cell::Cell;
use super::table::{Plan, Request, Table};

/// Job filter rules.
pub(crate) struct Filters;

/// A field of filter rules.
pub(crate) struct Column<'a>(fn(&'a FilterRule) -> Cell<'a>);

impl<'a> Table<'a> for Filters {
    type Row = &'a FilterRule;
    type Column = Column<'a>;

    const RESOURCE: Resource = Resource::Filter;

    fn column(name: &str) -> Option<Column<'a>> {
        let get: fn(&'a FilterRule) -> Cell<'a> = match name {
            "action" => |rule| (&rule.action).into(),
            "predicates" => |rule| Cell::json(&rule.predicates),
            "priority" => |rule| rule.priority.into(),
            "reason_trail" => |rule| Cell::json(&rule.reason_trail),
            "uuid" => |rule| rule.uuid.as_str().into(),
            "watermark" => |rule| rule.watermark.0.into(),
            _ => return None,
        };
        Some(Column(get))
    }

    fn cell(&self, row: &'a FilterRule, column: &Column<'a>) -> Cell<'a> {
        (column.0)(row)
    }
}

/// Answers a request about filter rules, in the order in which they count.
///
/// # Errors
/// A UUID that does not exist, or a filter that cannot be applied.
pub(crate) fn answer(config: &Config, request: &Request<'_>) -> Result<String, WireError> {
    let (rows, request) = match request.names(Resource::Filter) {
        Some(names) if !names.is_empty() => {
            let find = |name| {
                let uuid = super::name_text(name);
                let unknown = || WireError::prereq(format!("Filter '{uuid}' not known"), ErrorCode::NoEntity);
                config.filter(&uuid.as_ref().into()).map(Arc::as_ref).ok_or_else(unknown)
            };
            (names.into_iter().map(find).collect::<Result<Vec<&FilterRule>, _>>()?, &request.unfiltered())
        }
        _ => {
            let mut all: Vec<&FilterRule> = config.filters().map(Arc::as_ref).collect();
            all.sort_by_key(|rule| (rule.priority, rule.watermark, rule.uuid.as_str()));
            (all, request)
        }
    };
    let plan = Plan::new::<Filters>(request)?;
    let rows = plan.select(&Filters, rows)?;
    Ok(plan.answer(&Filters, &rows))
}

//! Answers as text, character for character as Ganeti's list commands print them.

mod cell;
mod python;
mod table;
mod time;
mod unit;

pub use python::{python_repr, python_str};
pub use table::{Column, table};
pub use time::utc_time;
pub use unit::{ParseUnitError, Unit};

use super::{FieldDef, QueryFieldsResponse, QueryResponse, Resource, ResultEntry, ResultStatus};

/// How a table is to look.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// `--units`; `None` chooses: MiB with a separator (for scripts), a fitting one without (for people).
    pub unit: Option<Unit>,
    /// `--separator`; `None` aligns the columns.
    pub separator: Option<&'a str>,
    /// Whether the titles come first (not `--no-headers`).
    pub header: bool,
    /// `--verbose`: `(nodata)` instead of `?`.
    pub verbose: bool,
    /// Writes seconds since the epoch as `2024-01-31 23:59:59`, in the zone of whoever reads it. [`utc_time`] for none.
    pub time: &'a dyn Fn(f64) -> String,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { unit: None, separator: None, header: true, verbose: false, time: &utc_time }
    }
}

/// What the cells of a table tell about the answer as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every cell has a value.
    Normal,
    /// Some have none, for a good reason or a bad one. Not an error for Ganeti's exit code.
    Incomplete,
    /// A field was asked for that does not exist: exit code 14.
    UnknownField,
}

/// The lines of the answer to a query.
#[must_use]
pub fn query(resource: Resource, response: &QueryResponse, options: &Options<'_>) -> (Outcome, Vec<String>) {
    let cells: Vec<_> = response.fields.iter().map(|f| cell::Formatter::new(resource, f, options)).collect();
    let columns: Vec<_> = response
        .fields
        .iter()
        .zip(&cells)
        .map(|(field, cell)| Column { title: field.title.clone(), right: cell.is_right_aligned() })
        .collect();
    let format_row = |row: &Vec<ResultEntry>| row.iter().zip(&cells).map(|(entry, cell)| cell.format(entry)).collect();
    let rows: Vec<Vec<String>> = response.data.iter().map(format_row).collect();
    (outcome(response), table(&columns, &rows, options.header, options.separator))
}

/// The lines of `list-fields`.
#[must_use]
pub fn fields(response: &QueryFieldsResponse, header: bool, separator: Option<&str>) -> Vec<String> {
    let columns = ["Name", "Type", "Title", "Description"].map(|title| Column { title: title.to_owned(), right: false });
    let format_row = |f: &FieldDef| vec![f.name.clone(), f.kind.description().to_owned(), f.title.clone(), f.doc.clone()];
    let rows: Vec<_> = response.fields.iter().map(format_row).collect();
    table(&columns, &rows, header, separator)
}

/// What goes to stderr if fields were asked for that do not exist.
#[must_use]
pub fn unknown_fields_warning<'a>(unknown: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<_> = unknown.collect();
    (!names.is_empty()).then(|| format!("Warning: Queried for unknown fields {}", names.join(", ")))
}

fn outcome(response: &QueryResponse) -> Outcome {
    let cells = || response.data.iter().flatten();
    // Without rows only the columns can tell.
    let unknown_column = response.data.is_empty() && response.unknown_fields().next().is_some();
    if unknown_column || cells().any(|c| c.status == ResultStatus::Unknown) {
        Outcome::UnknownField
    } else if cells().any(|c| c.status != ResultStatus::Normal) {
        Outcome::Incomplete
    } else {
        Outcome::Normal
    }
}

#[cfg(test)]
mod tests;

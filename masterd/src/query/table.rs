//! From rows to an answer: columns are looked up once, then each row is filtered and written.

use gannet_core::error::{ErrorCode, WireError};
use gannet_core::query::eval::{self, Matcher};
use gannet_core::query::field::{self, Source};
use gannet_core::query::{FieldDef, FieldKind, Filter, FilterValue, Resource, ResultEntry, Row};

use super::cell::{Cell, write_json};

/// Things of one resource, and how to get at their fields.
pub(crate) trait Table<'a> {
    /// One thing.
    type Row: Copy;
    /// A field that has been looked up.
    type Column;

    /// What it is a table of.
    const RESOURCE: Resource;

    /// Looks a field up; `None` when there is no such field.
    fn column(name: &str) -> Option<Self::Column>;

    /// As [`Self::column`], for [`Style::Objects`].
    fn object_column(name: &str) -> Option<Self::Column> {
        Self::column(name)
    }

    /// The value of the field of a row.
    fn cell(&self, row: Self::Row, column: &Self::Column) -> Cell<'a>;
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `Query`: field definitions, and cells with statuses.
    New,
    /// `QueryInstances` and the like: rows of values, null where there is none. Unknown fields are an error.
    Classic,
    /// A list of objects, as RAPI's `bulk=1` gives them: a key for each field, null where there is no value. Unknown
    /// fields are an error.
    Objects,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Request<'f> {
    pub(crate) fields: &'f [String],
    pub(crate) filter: Filter,
    pub(crate) style: Style,
}

impl<'f> Request<'f> {
    /// The names, if the filter says nothing but "one of these"; empty for a filter that says nothing.
    pub(crate) fn names(&self, resource: Resource) -> Option<Vec<&FilterValue>> {
        self.filter.requested_names(resource.name_field())
    }

    /// The same request without its filter: its rows have been looked up by name.
    pub(crate) fn unfiltered(&self) -> Self {
        Self { filter: Filter::Empty, ..self.clone() }
    }

    /// Whether one of the fields, asked or filtered by, is in `these`.
    pub(crate) fn uses(&self, these: &[&str]) -> bool {
        self.fields.iter().any(|name| these.contains(&name.as_str())) || self.filter.fields().into_iter().any(|name| these.contains(&name))
    }

    /// Whether nodes have to be asked to answer it.
    pub(crate) fn is_live(&self, resource: Resource) -> bool {
        self.fields.iter().any(|name| is_live(resource, name)) || self.filter.fields().into_iter().any(|name| is_live(resource, name))
    }
}

/// Whether nodes have to be asked for the field.
pub(crate) fn is_live(resource: Resource, name: &str) -> bool {
    field::find(resource, name).is_some_and(|field| field.source == Source::Live)
}

/// A request whose fields have been looked up in a table.
pub(crate) struct Plan<'f, C> {
    style: Style,
    definitions: Vec<FieldDef>,
    columns: Vec<Option<C>>,
    /// What stands before each cell, and what behind the last.
    marks: Vec<Vec<u8>>,
    filter: Option<(Matcher<'f>, Vec<(&'f str, C)>)>,
}

impl<'f, C> Plan<'f, C> {
    /// Looks up what `request` names.
    ///
    /// # Errors
    /// An unknown field in the filter, or, in the classic style, among the fields.
    pub(crate) fn new<'a, T: Table<'a, Column = C>>(request: &'f Request<'f>) -> Result<Self, WireError> {
        let definitions: Vec<FieldDef> = request.fields.iter().map(|name| field::definition(T::RESOURCE, name)).collect();
        if request.style != Style::New {
            let unknown: Vec<&str> =
                definitions.iter().filter(|field| field.kind == FieldKind::Unknown).map(|field| field.name.as_str()).collect();
            if !unknown.is_empty() {
                let text = format!("Unknown output fields selected: {}", unknown.join(", "));
                return Err(WireError::prereq(text, ErrorCode::Invalid));
            }
        }
        let column = if request.style == Style::Objects { T::object_column } else { T::column };
        let columns = request.fields.iter().map(|name| column(name)).collect();
        let filter = match &request.filter {
            Filter::Empty => None,
            filter => {
                let matcher = Matcher::new(T::RESOURCE, filter).map_err(|error| unfit(&error))?;
                let columns = filter.fields().into_iter().filter_map(|name| Some((name, T::column(name)?))).collect();
                Some((matcher, columns))
            }
        };
        Ok(Self { style: request.style, definitions, columns, marks: marks(request), filter })
    }

    /// Whether the row is wanted.
    ///
    /// # Errors
    /// The filter cannot look at a value.
    pub(crate) fn wants<'a, T: Table<'a, Column = C>>(&self, table: &T, row: T::Row) -> Result<bool, WireError> {
        let Some((matcher, columns)) = &self.filter else { return Ok(true) };
        matcher.matches(&Fields { table, row, columns }).map_err(|error| unfit(&error))
    }

    /// The rows that are wanted.
    ///
    /// # Errors
    /// As [`Self::wants`].
    pub(crate) fn select<'a, T: Table<'a, Column = C>>(&self, table: &T, rows: Vec<T::Row>) -> Result<Vec<T::Row>, WireError> {
        if self.filter.is_none() {
            return Ok(rows);
        }
        let mut wanted = Vec::new();
        for row in rows {
            if self.wants(table, row)? {
                wanted.push(row);
            }
        }
        Ok(wanted)
    }

    /// How many cells a row has.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Writes one cell of a row, with what stands before it.
    pub(crate) fn write_cell<'a, T: Table<'a, Column = C>>(&self, table: &T, row: T::Row, index: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.marks[index]);
        let cell = self.columns[index].as_ref().map_or(Cell::UNKNOWN, |column| table.cell(row, column));
        match self.style {
            Style::New => cell.write_entry(out),
            Style::Classic | Style::Objects => cell.write_value(out),
        }
    }

    /// Writes the end of a row.
    pub(crate) fn write_end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.marks[self.columns.len()]);
    }

    /// Writes a whole answer.
    pub(crate) fn answer<'a, T: Table<'a, Column = C>>(&self, table: &T, rows: &[T::Row]) -> String {
        let mut answer = Answer::new(self, rows.len());
        for row in rows {
            answer.add(self, table, *row);
        }
        answer.finish()
    }
}

struct Fields<'m, 'f, 'a, T: Table<'a>> {
    table: &'m T,
    row: T::Row,
    columns: &'m [(&'f str, T::Column)],
}

impl<'a, T: Table<'a>> Row for Fields<'_, '_, 'a, T> {
    fn field(&self, name: &str) -> Option<ResultEntry> {
        match self.columns.iter().find(|(known, _)| *known == name) {
            Some((_, column)) => self.table.cell(self.row, column).entry(),
            None => Some(ResultEntry::UNKNOWN),
        }
    }
}

/// The text of an answer under way.
pub(crate) struct Answer {
    out: Vec<u8>,
    style: Style,
    is_first: bool,
}

impl Answer {
    /// Begins an answer of about `rows` rows.
    pub(crate) fn new<C>(plan: &Plan<'_, C>, rows: usize) -> Self {
        // Enough for short values; long ones make it grow.
        let mut out = Vec::with_capacity(256 + rows * plan.columns.len() * 24);
        if plan.style == Style::New {
            out.extend_from_slice(b"{\"fields\":");
            write_json(&mut out, &plan.definitions);
            out.extend_from_slice(b",\"data\":");
        }
        out.push(b'[');
        Self { out, style: plan.style, is_first: true }
    }

    /// Makes room for this many bytes more.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.out.reserve(bytes);
    }

    /// Adds a row.
    pub(crate) fn add<'a, C, T: Table<'a, Column = C>>(&mut self, plan: &Plan<'_, C>, table: &T, row: T::Row) {
        let out = self.row();
        for index in 0..plan.columns.len() {
            plan.write_cell(table, row, index, out);
        }
        plan.write_end(out);
    }

    /// Begins a row, which the caller writes.
    pub(crate) fn row(&mut self) -> &mut Vec<u8> {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
        &mut self.out
    }

    /// Ends it.
    pub(crate) fn finish(mut self) -> String {
        self.out.push(b']');
        if self.style == Style::New {
            self.out.push(b'}');
        }
        String::from_utf8(self.out).expect("it is made of JSON texts, which are UTF-8")
    }
}

fn marks(request: &Request<'_>) -> Vec<Vec<u8>> {
    let (open, close) = if request.style == Style::Objects { (b'{', b'}') } else { (b'[', b']') };
    let mut marks: Vec<Vec<u8>> = Vec::with_capacity(request.fields.len() + 1);
    for name in request.fields {
        let mut mark = vec![if marks.is_empty() { open } else { b',' }];
        if request.style == Style::Objects {
            write_json(&mut mark, name);
            mark.push(b':');
        }
        marks.push(mark);
    }
    marks.push(if marks.is_empty() { vec![open, close] } else { vec![close] });
    marks
}

fn unfit(error: &eval::Error) -> WireError {
    WireError::new("ParameterError", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_fields_are_known() {
        let fields = ["name".to_owned(), "status".to_owned()];
        let asks = |fields: &[String], filter: Filter| Request { fields, filter, style: Style::New }.is_live(Resource::Instance);
        assert!(asks(&fields, Filter::Empty));
        assert!(!asks(&fields[..1], Filter::Empty));
        assert!(asks(&fields[..1], Filter::True("oper_state".into())));
    }
}

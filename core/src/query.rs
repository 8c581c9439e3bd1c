//! Ganeti's query language: what can be listed, which fields there are, how rows are filtered, and how a table is printed.
//!
//! ```text
//!   "oper_state and pnode == 'node1'"  --parse-->  Filter  <--serde-->  ["&", ["?", "oper_state"], ["==", "pnode", "node1"]]
//!                                                    |
//!                              Matcher::new(resource, filter).matches(row)
//!                                                    |
//!                       QueryResponse { fields, data } --format::query--> lines of text
//! ```
//!
//! Nothing here reads a configuration or asks a node: whoever has rows implements [`eval::Row`].

// In tests a panic is the report. The code itself is held to it by the build without tests.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod eval;
pub mod field;
pub mod filter;
pub mod format;
pub mod nice_sort;
mod resource;
mod response;

pub use eval::{Matcher, Row};
pub use field::{Field, parse_fields};
pub use filter::{Comparison, Filter, FilterRegex, FilterValue};
pub use nice_sort::{nice_cmp, nice_sort, nice_sort_by_key};
pub use resource::{Resource, UnknownResource};
pub use response::{FieldDef, FieldKind, QueryFieldsResponse, QueryResponse, ResultEntry, ResultStatus};

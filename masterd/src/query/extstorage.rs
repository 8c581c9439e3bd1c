//! External storage providers. Nodes of this version run none, so there is nothing to ask them; the fields are known.

use gannet_core::error::{ErrorCode, WireError};
use gannet_core::query::Resource;

use super::cell::Cell;
use super::table::{Plan, Request, Table};

/// External storage providers.
pub(crate) struct Providers;

/// A provider: none exists.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Provider {}

impl<'a> Table<'a> for Providers {
    type Row = Provider;
    type Column = ();

    const RESOURCE: Resource = Resource::Extstorage;

    fn column(name: &str) -> Option<()> {
        matches!(name, "name" | "node_status" | "nodegroup_status" | "parameters").then_some(())
    }

    fn cell(&self, row: Provider, (): &()) -> Cell<'a> {
        match row {}
    }
}

/// Refuses a request about providers, after its fields were looked at.
///
/// # Errors
/// Always.
pub(crate) fn answer(request: &Request<'_>) -> Result<String, WireError> {
    Plan::new::<Providers>(request)?;
    let text = "External storage providers are not available in this version of Gannet yet (see docs/status.md)";
    Err(WireError::prereq(text, ErrorCode::Environment))
}

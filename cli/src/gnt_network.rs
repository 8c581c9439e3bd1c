//! `gnt-network`: pools of addresses.

mod change;
mod info;

use gannet_core::query::Resource;

use crate::{Built, table, tags};

/// What carries out the sub-command `name`.
pub(crate) fn built(name: &str) -> Option<Built> {
    Some(match name {
        "add" => Built::new(change::add),
        "add-tags" => Built::new(tags::add),
        "connect" => Built::new(change::connect),
        "disconnect" => Built::new(change::disconnect),
        "info" => Built::new(info::run),
        "list" => Built::new(|context| table::list(context, Resource::Network)),
        "list-fields" => Built::new(|context| table::list_fields(context, Resource::Network)),
        "list-tags" => Built::new(tags::list),
        "modify" => Built::new(change::modify),
        "remove" => Built::new(change::remove),
        "remove-tags" => Built::new(tags::remove),
        "rename" => Built::new(change::rename),
        _ => return None,
    })
}

//! `gnt-group`: node groups.

mod assign_nodes;
mod change;
mod evacuate;
mod info;

use gannet_core::query::Resource;

use crate::{Built, policy, table, tags};

/// What carries out the sub-command `name`.
pub(crate) fn built(name: &str) -> Option<Built> {
    Some(match name {
        "add" => Built::new(change::add),
        "add-tags" => Built::new(tags::add),
        "assign-nodes" => Built::new(assign_nodes::run),
        "evacuate" => Built::new(evacuate::run),
        "info" => Built::new(info::run),
        "list" => Built::new(|context| table::list(context, Resource::Group)),
        "list-fields" => Built::new(|context| table::list_fields(context, Resource::Group)),
        "list-tags" => Built::new(tags::list),
        "modify" => Built::new(change::modify),
        "remove" => Built::new(change::remove),
        "remove-tags" => Built::new(tags::remove),
        "rename" => Built::new(change::rename),
        "show-ispecs-cmd" => Built::new(policy::show_group_command),
        _ => return None,
    })
}

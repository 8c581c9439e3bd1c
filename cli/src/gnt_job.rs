//! `gnt-job`: the job queue.

mod archive;
mod change;
mod info;
mod list;
mod watch;

use gannet_core::query::Resource;

use crate::{Built, table};

/// What carries out the sub-command `name`.
pub(crate) fn built(name: &str) -> Option<Built> {
    Some(match name {
        "archive" => Built::new(archive::archive),
        "autoarchive" => Built::new(archive::autoarchive),
        "cancel" => Built::new(change::cancel),
        "change-priority" => Built::new(change::priority),
        "info" => Built::new(info::run),
        "list" => Built::new(list::run),
        "list-fields" => Built::new(|context| table::list_fields(context, Resource::Job)),
        "wait" => Built::new(watch::wait),
        "watch" => Built::new(watch::watch),
        _ => return None,
    })
}

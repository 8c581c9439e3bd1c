//! `gnt-instance`: one file per sub-command.

mod activate_disks;
mod add;
mod batch_create;
mod change_group;
mod console;
mod deactivate_disks;
mod device;
mod failover;
mod grow_disk;
mod info;
mod migrate;
mod modify;
mod r#move;
mod reboot;
mod recreate_disks;
mod reinstall;
mod remove;
mod rename;
mod replace_disks;
mod select;
mod shutdown;
mod startup;

use gannet_core::query::Resource;

use crate::{Built, table, tags};

/// What carries out the sub-command `name`.
pub(crate) fn built(name: &str) -> Option<Built> {
    Some(match name {
        "activate-disks" => Built::new(activate_disks::run),
        "add" => Built::new(add::run),
        "add-tags" => Built::new(tags::add),
        "batch-create" => Built::new(batch_create::run),
        "change-group" => Built::new(change_group::run),
        "console" => Built::new(console::run),
        "deactivate-disks" => Built::new(deactivate_disks::run),
        "failover" => Built::new(failover::run),
        "grow-disk" => Built::new(grow_disk::run),
        "info" => Built::new(info::run),
        "list" => Built::new(|context| table::list(context, Resource::Instance)),
        "list-fields" => Built::new(|context| table::list_fields(context, Resource::Instance)),
        "list-tags" => Built::new(tags::list),
        "migrate" => Built::new(migrate::run),
        "modify" => Built::new(modify::run),
        "move" => Built::new(r#move::run),
        "reboot" => Built::new(reboot::run),
        "recreate-disks" => Built::new(recreate_disks::run),
        "reinstall" => Built::new(reinstall::run),
        "remove" => Built::new(remove::run),
        "remove-tags" => Built::new(tags::remove),
        "rename" => Built::new(rename::run),
        "replace-disks" => Built::new(replace_disks::run),
        "shutdown" => Built::new(shutdown::run),
        "startup" => Built::new(startup::run),
        _ => return None,
    })
}

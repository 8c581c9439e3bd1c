//! Instances.

use gannet_core::luxi::Method;
use serde_json::json;

use super::instance_adjust::{OLD_NAMES, create, grow_disk, info, modify, multi_alloc, reinstall, remove, replace_disks};
use super::{Listing, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::query::Query;
use crate::route::{Access, Endpoint, Route, Verb};
use crate::shape::{Extra, Shape};
use crate::submit::{Arg, DRY_RUN, FORCE, Submit};

const FIELDS: &[&str] = &[
    "name",
    "admin_state",
    "os",
    "pnode",
    "snodes",
    "disk_template",
    "nic.ips",
    "nic.macs",
    "nic.modes",
    "nic.uuids",
    "nic.names",
    "nic.links",
    "nic.networks",
    "nic.networks.names",
    "nic.bridges",
    "network_port",
    "disk.sizes",
    "disk.spindles",
    "disk_usage",
    "disk.uuids",
    "disk.names",
    "beparams",
    "hvparams",
    "oper_state",
    "oper_ram",
    "oper_vcpus",
    "status",
    "custom_hvparams",
    "custom_beparams",
    "custom_nicparams",
    "custom_osparams",
    "ctime",
    "mtime",
    "uuid",
    "serial_no",
    "tags",
];

const INSTANCES: Listing =
    Listing { what: "instance", method: Method::QueryInstances, fields: FIELDS, key: "id", prefix: "/2/instances/", extra: Extra::Memory };

/// A resource below an instance that does nothing but submit an opcode.
macro_rules! action {
    ($verb:ident, $path:literal, $class:literal, $submit:expr) => {
        Route {
            uri: concat!("/2/instances/{instance_name}/", $path),
            class: concat!("instances_name_", $class),
            endpoints: &[Endpoint::submit(Verb::$verb, $submit)],
        }
    };
}

const NO_REMEMBER: Arg = Arg::flag("no_remember");
const REBOOT: &[Arg] = &[DRY_RUN, Arg::text_as("type", "reboot_type", "hard"), Arg::flag("ignore_secondaries")];

pub(crate) const ROUTES: &[Route] = &[
    Route {
        uri: "/2/instances",
        class: "instances",
        endpoints: &[
            Endpoint::read(|call| INSTANCES.list(call)),
            Endpoint::submit(Verb::Post, Submit::new("OP_INSTANCE_CREATE").args(&[DRY_RUN]).body().renames(OLD_NAMES).adjust(create)),
        ],
    },
    Route {
        uri: "/2/instances/{instance_name}",
        class: "instances_name",
        endpoints: &[
            Endpoint::read(|call| INSTANCES.one(call, "instance_name")),
            Endpoint::submit(Verb::Delete, Submit::new("OP_INSTANCE_REMOVE").args(&[DRY_RUN]).body().adjust(remove)),
        ],
    },
    Route {
        uri: "/2/instances-multi-alloc",
        class: "instances_multi_alloc",
        endpoints: &[Endpoint::submit(Verb::Post, Submit::new("OP_INSTANCE_MULTI_ALLOC").args(&[DRY_RUN]).body().adjust(multi_alloc))],
    },
    Route {
        uri: "/2/instances/{instance_name}/info",
        class: "instances_name_info",
        endpoints: &[Endpoint::submit(Verb::Get, Submit::new("OP_INSTANCE_QUERY_DATA").args(&[Arg::flag("static")]).adjust(info))
            .with_access(Access::Public)],
    },
    Route {
        uri: "/2/instances/{instance_name}/tags",
        class: "instances_name_tags",
        endpoints: &[
            Endpoint::read(tags::instance),
            Endpoint::submit(Verb::Put, tags::SET_INSTANCE),
            Endpoint::submit(Verb::Delete, tags::DEL_INSTANCE),
        ],
    },
    action!(Post, "reboot", "reboot", Submit::new("OP_INSTANCE_REBOOT").args(REBOOT).body()),
    action!(Put, "startup", "startup", Submit::new("OP_INSTANCE_STARTUP").args(&[FORCE, DRY_RUN, NO_REMEMBER])),
    action!(Put, "shutdown", "shutdown", Submit::new("OP_INSTANCE_SHUTDOWN").args(&[DRY_RUN, NO_REMEMBER]).body()),
    action!(Put, "migrate", "migrate", Submit::new("OP_INSTANCE_MIGRATE").body()),
    action!(Put, "failover", "failover", Submit::new("OP_INSTANCE_FAILOVER").body()),
    action!(Put, "rename", "rename", Submit::new("OP_INSTANCE_RENAME").body()),
    action!(Put, "modify", "modify", MODIFY),
    action!(Post, "replace-disks", "replace_disks", Submit::new("OP_INSTANCE_REPLACE_DISKS").body().adjust(replace_disks)),
    action!(Put, "activate-disks", "activate_disks", Submit::new("OP_INSTANCE_ACTIVATE_DISKS").args(&[Arg::flag("ignore_size")])),
    action!(Put, "deactivate-disks", "deactivate_disks", Submit::new("OP_INSTANCE_DEACTIVATE_DISKS").args(&[FORCE])),
    action!(Post, "recreate-disks", "recreate_disks", Submit::new("OP_INSTANCE_RECREATE_DISKS").body()),
    action!(Put, "prepare-export", "prepare_export", Submit::new("OP_BACKUP_PREPARE").args(&[Arg::text("mode")])),
    action!(Put, "export", "export", Submit::new("OP_BACKUP_EXPORT").body().renames(&[("destination", "target_node")])),
    action!(Post, "disk/{disk_index}/grow", "disk_grow", Submit::new("OP_INSTANCE_GROW_DISK").body().adjust(grow_disk)),
    Route {
        uri: "/2/instances/{instance_name}/reinstall",
        class: "instances_name_reinstall",
        endpoints: &[Endpoint::custom(Verb::Post, reinstall)],
    },
    Route {
        uri: "/2/instances/{instance_name}/console",
        class: "instances_name_console",
        endpoints: &[Endpoint::read(console).with_access(Access::Read)],
    },
];

const MODIFY: Submit = Submit::new("OP_INSTANCE_SET_PARAMS")
    .body()
    .renames(&[("custom_beparams", "beparams"), ("custom_hvparams", "hvparams")])
    .adjust(modify);

fn console(call: &Call) -> Result<Query, ApiError> {
    let args = json!([[call.var("instance_name")], ["console", "oper_state"], false]);
    Ok(Query::Luxi { method: Method::QueryInstances, args, shape: Shape::Console })
}

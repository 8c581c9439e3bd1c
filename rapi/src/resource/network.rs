//! Networks.

use gannet_core::luxi::Method;

use super::{Listing, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::route::{Endpoint, Route, Verb};
use crate::shape::Extra;
use crate::submit::{DRY_RUN, Parts, Submit};

const FIELDS: &[&str] = &[
    "name",
    "network",
    "gateway",
    "network6",
    "gateway6",
    "mac_prefix",
    "free_count",
    "reserved_count",
    "map",
    "group_list",
    "inst_list",
    "external_reservations",
    "ctime",
    "mtime",
    "uuid",
    "serial_no",
    "tags",
];

const NETWORKS: Listing =
    Listing { what: "network", method: Method::QueryNetworks, fields: FIELDS, key: "name", prefix: "/2/networks/", extra: Extra::None };

/// An opcode with a body that can be tried out.
const fn dry(op_id: &'static str) -> Submit {
    Submit::new(op_id).args(&[DRY_RUN]).body()
}

pub(crate) const ROUTES: &[Route] = &[
    Route {
        uri: "/2/networks",
        class: "networks",
        endpoints: &[
            Endpoint::read(|call| NETWORKS.list(call)),
            Endpoint::submit(Verb::Post, dry("OP_NETWORK_ADD").renames(&[("name", "network_name")]).adjust(no_tags)),
        ],
    },
    Route {
        uri: "/2/networks/{network_name}",
        class: "networks_name",
        endpoints: &[Endpoint::read(|call| NETWORKS.one(call, "network_name")), Endpoint::submit(Verb::Delete, dry("OP_NETWORK_REMOVE"))],
    },
    Route {
        uri: "/2/networks/{network_name}/connect",
        class: "networks_name_connect",
        endpoints: &[Endpoint::submit(Verb::Put, dry("OP_NETWORK_CONNECT"))],
    },
    Route {
        uri: "/2/networks/{network_name}/disconnect",
        class: "networks_name_disconnect",
        endpoints: &[Endpoint::submit(Verb::Put, dry("OP_NETWORK_DISCONNECT"))],
    },
    Route {
        uri: "/2/networks/{network_name}/rename",
        class: "networks_name_rename",
        endpoints: &[Endpoint::submit(Verb::Put, dry("OP_NETWORK_RENAME"))],
    },
    Route {
        uri: "/2/networks/{network_name}/modify",
        class: "networks_name_modify",
        endpoints: &[Endpoint::submit(Verb::Put, Submit::new("OP_NETWORK_SET_PARAMS").body())],
    },
    Route {
        uri: "/2/networks/{network_name}/tags",
        class: "networks_name_tags",
        endpoints: &[
            Endpoint::read(tags::network),
            Endpoint::submit(Verb::Put, tags::SET_NETWORK),
            Endpoint::submit(Verb::Delete, tags::DEL_NETWORK),
        ],
    },
];

/// Ganeti's client sends null when no tags are given, which the opcode does not take.
fn no_tags(_: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    if parts.body.get("tags").is_some_and(serde_json::Value::is_null) {
        parts.body.remove("tags");
    }
    Ok(())
}

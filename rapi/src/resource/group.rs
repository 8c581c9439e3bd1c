//! Node groups.

use gannet_core::luxi::Method;

use super::{Listing, tags};
use crate::route::{Endpoint, Route, Verb};
use crate::shape::Extra;
use crate::submit::{DRY_RUN, FORCE, Submit};

const FIELDS: &[&str] = &[
    "alloc_policy",
    "name",
    "node_cnt",
    "node_list",
    "ipolicy",
    "custom_ipolicy",
    "diskparams",
    "custom_diskparams",
    "ndparams",
    "custom_ndparams",
    "ctime",
    "mtime",
    "uuid",
    "serial_no",
    "tags",
];

const GROUPS: Listing =
    Listing { what: "group", method: Method::QueryGroups, fields: FIELDS, key: "name", prefix: "/2/groups/", extra: Extra::None };

const MODIFY: Submit = Submit::new("OP_GROUP_SET_PARAMS").body().renames(&[
    ("custom_ndparams", "ndparams"),
    ("custom_ipolicy", "ipolicy"),
    ("custom_diskparams", "diskparams"),
]);

pub(crate) const ROUTES: &[Route] = &[
    Route {
        uri: "/2/groups",
        class: "groups",
        endpoints: &[
            Endpoint::read(|call| GROUPS.list(call)),
            Endpoint::submit(Verb::Post, Submit::new("OP_GROUP_ADD").args(&[DRY_RUN]).body().renames(&[("name", "group_name")])),
        ],
    },
    Route {
        uri: "/2/groups/{group_name}",
        class: "groups_name",
        endpoints: &[
            Endpoint::read(|call| GROUPS.one(call, "group_name")),
            Endpoint::submit(Verb::Delete, Submit::new("OP_GROUP_REMOVE").args(&[DRY_RUN])),
        ],
    },
    Route { uri: "/2/groups/{group_name}/modify", class: "groups_name_modify", endpoints: &[Endpoint::submit(Verb::Put, MODIFY)] },
    Route {
        uri: "/2/groups/{group_name}/rename",
        class: "groups_name_rename",
        endpoints: &[Endpoint::submit(Verb::Put, Submit::new("OP_GROUP_RENAME").args(&[DRY_RUN]).body())],
    },
    Route {
        uri: "/2/groups/{group_name}/assign-nodes",
        class: "groups_name_assign_nodes",
        endpoints: &[Endpoint::submit(Verb::Put, Submit::new("OP_GROUP_ASSIGN_NODES").args(&[DRY_RUN, FORCE]).body())],
    },
    Route {
        uri: "/2/groups/{group_name}/tags",
        class: "groups_name_tags",
        endpoints: &[
            Endpoint::read(tags::group),
            Endpoint::submit(Verb::Put, tags::SET_GROUP),
            Endpoint::submit(Verb::Delete, tags::DEL_GROUP),
        ],
    },
];

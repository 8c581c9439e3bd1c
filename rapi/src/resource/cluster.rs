//! The cluster as a whole.

use gannet_core::luxi::Method;
use http::StatusCode;
use serde_json::json;

use super::tags;
use crate::call::Call;
use crate::error::ApiError;
use crate::query::Query;
use crate::route::{Endpoint, Route, Verb};
use crate::shape::Shape;
use crate::submit::{Parts, Submit};

pub(crate) const ROUTES: &[Route] = &[
    Route { uri: "/version", class: "version", endpoints: &[Endpoint::constant("2\n")] },
    Route { uri: "/2/info", class: "info", endpoints: &[Endpoint::read(info)] },
    Route { uri: "/", class: "root", endpoints: &[Endpoint::constant("null\n")] },
    Route { uri: "/2", class: "2", endpoints: &[Endpoint::constant("null\n")] },
    Route { uri: "/2/features", class: "features", endpoints: &[Endpoint::constant(FEATURES)] },
    Route { uri: "/2/os", class: "os", endpoints: &[Endpoint::read(|_| Ok(Query::OsList))] },
    Route {
        uri: "/2/tags",
        class: "tags",
        endpoints: &[
            Endpoint::read(tags::cluster),
            Endpoint::submit(Verb::Put, tags::SET_CLUSTER),
            Endpoint::submit(Verb::Delete, tags::DEL_CLUSTER),
        ],
    },
    Route {
        uri: "/2/redistribute-config",
        class: "redist_config",
        endpoints: &[Endpoint::submit(Verb::Put, Submit::new("OP_CLUSTER_REDIST_CONF").body())],
    },
    Route {
        uri: "/2/modify",
        class: "cluster_modify",
        endpoints: &[Endpoint::submit(Verb::Put, Submit::new("OP_CLUSTER_SET_PARAMS").body().adjust(no_compression_tools))],
    },
];

/// What clients may rely on beyond version 2.
const FEATURES: &str = "[\"instance-create-reqv1\",\"instance-reinstall-reqv1\",\"node-evac-res1\",\"node-migrate-reqv1\"]\n";

fn info(_: &Call) -> Result<Query, ApiError> {
    Ok(Query::Luxi { method: Method::QueryClusterInfo, args: json!([]), shape: Shape::Info })
}

/// They name programs that run as root, so they are not for remote users.
fn no_compression_tools(_: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    match parts.body.contains_key("compression_tools") {
        true => Err(ApiError::new(StatusCode::FORBIDDEN, "Modifying 'compression_tools' is not allowed through this interface")),
        false => Ok(()),
    }
}

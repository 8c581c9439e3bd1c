//! Tags of the cluster, nodes, node groups, instances and networks.

use gannet_core::luxi::Method;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::ApiError;
use crate::query::Query;
use crate::shape::Shape;
use crate::submit::{Adjust, DRY_RUN, Parts, Submit};

pub(crate) const SET_CLUSTER: Submit = set(|call, parts| named(call, parts, "cluster", None));
pub(crate) const DEL_CLUSTER: Submit = del(|call, parts| named(call, parts, "cluster", None));
pub(crate) const SET_NODE: Submit = set(|call, parts| named(call, parts, "node", Some("node_name")));
pub(crate) const DEL_NODE: Submit = del(|call, parts| named(call, parts, "node", Some("node_name")));
pub(crate) const SET_GROUP: Submit = set(|call, parts| named(call, parts, "nodegroup", Some("group_name")));
pub(crate) const DEL_GROUP: Submit = del(|call, parts| named(call, parts, "nodegroup", Some("group_name")));
pub(crate) const SET_INSTANCE: Submit = set(|call, parts| named(call, parts, "instance", Some("instance_name")));
pub(crate) const DEL_INSTANCE: Submit = del(|call, parts| named(call, parts, "instance", Some("instance_name")));
pub(crate) const SET_NETWORK: Submit = set(|call, parts| named(call, parts, "network", Some("network_name")));
pub(crate) const DEL_NETWORK: Submit = del(|call, parts| named(call, parts, "network", Some("network_name")));

const fn set(adjust: Adjust) -> Submit {
    Submit::new("OP_TAGS_SET").args(&[DRY_RUN]).adjust(adjust)
}

const fn del(adjust: Adjust) -> Submit {
    Submit::new("OP_TAGS_DEL").args(&[DRY_RUN]).adjust(adjust)
}

pub(crate) fn cluster(_: &Call) -> Result<Query, ApiError> {
    Ok(query("cluster", ""))
}

pub(crate) fn node(call: &Call) -> Result<Query, ApiError> {
    Ok(query("node", call.var("node_name")))
}

pub(crate) fn group(call: &Call) -> Result<Query, ApiError> {
    Ok(query("nodegroup", call.var("group_name")))
}

pub(crate) fn instance(call: &Call) -> Result<Query, ApiError> {
    Ok(query("instance", call.var("instance_name")))
}

pub(crate) fn network(call: &Call) -> Result<Query, ApiError> {
    Ok(query("network", call.var("network_name")))
}

fn query(kind: &str, name: &str) -> Query {
    Query::Luxi { method: Method::QueryTags, args: json!([kind, name]), shape: Shape::AsIs }
}

/// The opcode knows its object by `kind` and `name`, and takes the tags from the URI.
fn named(call: &Call, parts: &mut Parts, kind: &str, var: Option<&str>) -> Result<(), ApiError> {
    let tags: Vec<&str> = call.args.iter().filter(|(name, _)| name == "tag").map(|(_, tag)| tag.as_str()).collect();
    if tags.is_empty() {
        return Err(ApiError::bad_request("Please specify the tags using the 'tag' parameter"));
    }
    let name = var.and_then(|var| parts.fixed.remove(var)).unwrap_or(Value::Null);
    parts.fixed.insert("kind".to_owned(), kind.into());
    parts.fixed.insert("name".to_owned(), name);
    parts.fixed.insert("tags".to_owned(), tags.into());
    Ok(())
}

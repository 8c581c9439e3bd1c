//! The resources, by URI family.

mod cluster;
mod filter;
mod group;
mod instance;
mod instance_adjust;
mod job;
mod network;
mod node;
mod query;
mod tags;

use gannet_core::luxi::Method;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::ApiError;
use crate::query::Query;
use crate::route::Route;
use crate::shape::{Extra, Shape};

/// All families; those that are asked most come first.
pub(crate) const ALL: &[&[Route]] =
    &[cluster::ROUTES, instance::ROUTES, node::ROUTES, job::ROUTES, group::ROUTES, network::ROUTES, query::ROUTES, filter::ROUTES];

/// How a kind of objects is read: `/2/KIND` and `/2/KIND/NAME`.
struct Listing {
    /// The resource in queries.
    what: &'static str,
    method: Method,
    fields: &'static [&'static str],
    /// The key beside `uri` in the short list.
    key: &'static str,
    prefix: &'static str,
    /// In the single object.
    extra: Extra,
}

impl Listing {
    /// All objects: names with URIs, or with `bulk=1` whole.
    fn list(&self, call: &Call) -> Result<Query, ApiError> {
        let lock = call.flag("lock", false)?;
        Ok(if call.flag("bulk", false)? {
            let args = json!([self.what, self.fields, lock]);
            Query::Luxi { method: Method::QueryObjects, args, shape: Shape::List }
        } else {
            self.query(json!([]), &["name"], false, Shape::Uris { key: self.key, prefix: self.prefix })
        })
    }

    /// One object.
    fn one(&self, call: &Call, name: &str) -> Result<Query, ApiError> {
        let shape = Shape::Object { fields: self.fields, extra: self.extra };
        Ok(self.query(json!([call.var(name)]), self.fields, call.flag("lock", false)?, shape))
    }

    fn query(&self, names: Value, fields: &[&str], lock: bool, shape: Shape) -> Query {
        Query::Luxi { method: self.method, args: json!([names, fields, lock]), shape }
    }
}

//! A positive answer, and what its headers say of where it comes from.

use std::sync::Arc;

use bytes::Bytes;
use gannet_core::luxi::Origin;
use http::header::{HeaderMap, HeaderName, HeaderValue, WARNING};

/// The node that answered, when it is not the master.
const NODE: HeaderName = HeaderName::from_static("x-gannet-node");
/// The master, as far as that node knows.
const MASTER: HeaderName = HeaderName::from_static("x-gannet-master");

/// A body; with an origin when it did not come from a master that is sure of itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) origin: Option<Arc<Origin>>,
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, origin: None }
    }
}

/// Tells clients where the answer comes from, and whether it may be old (RFC 7234: 110, "Response is Stale").
pub(crate) fn tell(headers: &mut HeaderMap, origin: &Origin) {
    let mut put = |name: HeaderName, value: &str| {
        // Names of nodes always can be; a reason with a strange character is told without it.
        let clean: String = value.chars().filter(|character| (' '..='~').contains(character)).collect();
        if let Ok(value) = HeaderValue::from_str(&clean) {
            headers.insert(name, value);
        }
    };
    put(NODE, &origin.node);
    if let Some(master) = &origin.master {
        put(MASTER, master);
    }
    if let Some(old) = &origin.old {
        let agent = if origin.node.is_empty() { "-" } else { &origin.node };
        put(WARNING, &format!("110 {agent} \"{}\"", old.replace(['"', '\\'], "'")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let mut headers = HeaderMap::new();
        let origin = Origin { node: "node2".into(), master: Some("node1".into()), old: None };
        tell(&mut headers, &origin);
        assert_eq!(
            (headers.len(), &headers["x-gannet-node"], &headers["x-gannet-master"]),
            (2, &"node2".parse().unwrap(), &"node1".parse().unwrap())
        );
        let mut headers = HeaderMap::new();
        tell(&mut headers, &Origin { master: None, old: Some("a \"b\"\r\n\u{fc}".into()), ..origin });
        assert_eq!((headers.len(), &headers["warning"]), (2, &"110 node2 \"a 'b'\"".parse().unwrap()));
    }
}

//! What every master must know of a node: which instances it guards, how long its leases may be, and that it is dead. Rows of the
//! store, beside the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gannet_confd::command::{Key, Kind};
use gannet_core::id::NodeUuid;
use serde::{Deserialize, Serialize};

use super::judge::Fence;
use crate::store::{RawWrite, State};

/// Begins the keys; the node's UUID follows.
const PREFIX: &str = "node-lease/";

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Row {
    /// Instances that the node has promised to end in time. An instance that is not among them is started elsewhere only when the
    /// power is off.
    pub(super) guarded: BTreeSet<String>,
    /// The longest lease that may be in force, in seconds.
    pub(super) lease_s: u64,
    /// Set from the moment at which it is certain. The node gets no lease any more until this is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dead: Option<Death>,
}

/// A dead node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Death {
    /// By what that is known.
    pub(super) fence: Fence,
    /// It was marked offline: if it is not any more, the operator has brought it back.
    pub(super) offline: bool,
}

impl Row {
    pub(super) fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_s)
    }
}

/// All of them. One that cannot be read counts as a node that guards nothing.
pub(super) fn all(state: &State) -> BTreeMap<NodeUuid, Row> {
    let one = |(key, text): (&String, &std::sync::Arc<str>)| {
        let uuid = NodeUuid::from(key.strip_prefix(PREFIX)?);
        let row = serde_json::from_str(text).inspect_err(|error| tracing::error!(key, %error, "unreadable")).unwrap_or_default();
        Some((uuid, row))
    };
    state.meta.iter().filter_map(one).collect()
}

/// Writes, or takes away, the row of a node.
pub(super) fn write(node: &NodeUuid, row: Option<&Row>) -> RawWrite {
    let key = Key::new(Kind::META, format!("{PREFIX}{node}"));
    match row {
        // Plain data: it can always be written as JSON.
        Some(row) => RawWrite::Put { key, json: serde_json::to_string(row).unwrap_or_default(), expect: None },
        None => RawWrite::Delete { key },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_again() {
        let node = NodeUuid::from("00000001-0000-4000-8000-000000000001");
        let row =
            Row { guarded: BTreeSet::from(["i1".to_owned()]), lease_s: 30, dead: Some(Death { fence: Fence::Lease, offline: false }) };
        let RawWrite::Put { key, json, .. } = write(&node, Some(&row)) else { panic!("it is a row") };
        let mut state = State::default();
        state.meta.insert(key.id.clone(), json.as_str().into());
        state.meta.insert("drain".to_owned(), "".into());
        assert_eq!(all(&state), BTreeMap::from([(node, row)]));
    }
}

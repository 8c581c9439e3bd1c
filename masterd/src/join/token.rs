//! Tokens as the state stores them, and as the operator carries them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gannet_confd::command::{Key, Kind};
use gannet_core::id::JobId;
use gannet_core::quantity::Timestamp;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::master::Master;
use crate::pki::hex;
use crate::store::{CommitError, RawWrite, Transaction};

const PREFIX: &str = "join-token/";
/// Rows are kept this long after their token has expired, in seconds, so that its fate can be asked for.
const KEPT_S: u64 = 24 * 3600;

/// A secret on its way to the operator. Never stored, never logged.
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn random() -> Self {
        let mut bytes = [0; 32];
        rand::rng().fill_bytes(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(super) fn hash(&self) -> String {
        hash(&self.0)
    }
}

fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// How far a token has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Waiting,
    Joined,
    Submitted,
    Failed,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Joined => "joined",
            Self::Submitted => "submitted",
            Self::Failed => "failed",
        }
    }
}

/// A row.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) node: String,
    pub(super) address: IpAddr,
    /// SHA-256 of the secret.
    pub(super) hash: String,
    /// Seconds since 1970.
    pub(super) expires: u64,
    /// Parameters of OP_NODE_ADD.
    pub(super) options: Map<String, Value>,
    /// SHA-256 of the request that was signed: only the same one is signed again.
    pub(super) request: Option<String>,
    pub(super) state: State,
    pub(super) job: Option<JobId>,
    pub(super) error: Option<String>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, expires, state, .. } = self;
        f.debug_struct("Token").field("node", node).field("expires", expires).field("state", state).finish_non_exhaustive()
    }
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejected {
    /// Wrong secret, another node, or used for another key.
    Wrong,
    /// Too old.
    Expired,
}

impl Token {
    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires <= now.as_secs_f64() as u64
    }

    /// Whether the caller may have a certificate. The secret is compared first and in constant time, so that who does not
    /// know it learns nothing else.
    pub(super) fn accept(&self, secret: &str, node: &str, request: &str, now: Timestamp) -> Result<(), Rejected> {
        let known = hash(secret).as_bytes().ct_eq(self.hash.as_bytes());
        if !bool::from(known) || node != self.node {
            return Err(Rejected::Wrong);
        }
        if self.is_expired(now) {
            return Err(Rejected::Expired);
        }
        match &self.request {
            Some(first) if *first != hash(request) => Err(Rejected::Wrong),
            _ => Ok(()),
        }
    }

    /// Remembers which request was signed.
    pub(super) fn used_for(&mut self, request: &str) {
        self.request = Some(hash(request));
    }

    pub(super) fn find(master: &Master, id: &str) -> Option<Self> {
        let state = master.store().state();
        state.meta.get(&format!("{PREFIX}{id}")).and_then(|text| serde_json::from_str(text).ok())
    }

    pub(super) fn all(master: &Master) -> Vec<(String, Self)> {
        let state = master.store().state();
        let rows =
            state.meta.iter().filter_map(|(key, text)| Some((key.strip_prefix(PREFIX)?.to_owned(), serde_json::from_str(text).ok()?)));
        rows.collect()
    }

    pub(super) async fn store(&self, master: &Arc<Master>, id: &str) -> Result<(), CommitError> {
        let json = json!(self).to_string();
        write(master, vec![RawWrite::Put { key: key(id), json, expect: None }]).await
    }
}

/// Removes rows of tokens that expired long ago.
pub(super) async fn forget_old(master: &Arc<Master>) -> Result<(), CommitError> {
    let now = master.clock().now().as_secs_f64() as u64;
    let old = Token::all(master).into_iter().filter(|(_, token)| token.expires + KEPT_S < now);
    let deletes: Vec<RawWrite> = old.map(|(id, _)| RawWrite::Delete { key: key(&id) }).collect();
    if deletes.is_empty() {
        return Ok(());
    }
    write(master, deletes).await
}

/// A name for a new token.
pub(super) fn new_id() -> String {
    let mut bytes = [0; 8];
    rand::rng().fill_bytes(&mut bytes);
    hex(&bytes)
}

/// What the operator carries to the node (`proto/join.proto`).
pub(super) fn text(master: &SocketAddr, ca: &str, id: &str, secret: &Secret, token: &Token) -> String {
    let json = json!({
        "v": 1, "master": master.to_string(), "ca": ca, "id": id, "secret": secret.0, "node": token.node, "expires": token.expires,
    });
    URL_SAFE_NO_PAD.encode(json.to_string())
}

fn key(id: &str) -> Key {
    Key::new(Kind::META, format!("{PREFIX}{id}"))
}

async fn write(master: &Arc<Master>, raw: Vec<RawWrite>) -> Result<(), CommitError> {
    master.store().commit(Transaction { raw, ..Transaction::default() }).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_serves_one_node_one_key_and_its_time() {
        let secret = Secret::random();
        let mut token = Token {
            node: "node2.example.com".to_owned(),
            address: IpAddr::from([192, 0, 2, 12]),
            hash: secret.hash(),
            expires: 100,
            options: Map::new(),
            request: None,
            state: State::Waiting,
            job: None,
            error: None,
        };
        let (before, after) = (Timestamp::from_secs_f64(99.0), Timestamp::from_secs_f64(100.0));
        assert_eq!(token.accept(&secret.0, "node2.example.com", "csr", before), Ok(()));
        assert_eq!(token.accept("guess", "node2.example.com", "csr", before), Err(Rejected::Wrong));
        assert_eq!(token.accept("guess", "node2.example.com", "csr", after), Err(Rejected::Wrong));
        assert_eq!(token.accept(&secret.0, "node3.example.com", "csr", before), Err(Rejected::Wrong));
        assert_eq!(token.accept(&secret.0, "node2.example.com", "csr", after), Err(Rejected::Expired));
        token.used_for("csr");
        assert_eq!(token.accept(&secret.0, "node2.example.com", "csr", before), Ok(()));
        assert_eq!(token.accept(&secret.0, "node2.example.com", "another", before), Err(Rejected::Wrong));
        assert!(!json!(token).to_string().contains(&secret.0));
    }
}

//! The token that `gnt-node add` prints.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::Error;

/// Everything a machine must know to join, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Version of the format: 1.
    pub v: u32,
    /// `IP:PORT` of the master's join service.
    pub master: String,
    /// SHA-256 of the CA certificate's DER, in hex.
    pub ca: String,
    /// Names the token at the master.
    pub id: String,
    /// Proves the token; used once.
    pub secret: String,
    /// The name under which the node joins.
    pub node: String,
    /// Seconds since 1970.
    pub expires: u64,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { master, id, node, expires, .. } = self;
        f.debug_struct("Token")
            .field("master", master)
            .field("id", id)
            .field("node", node)
            .field("expires", expires)
            .finish_non_exhaustive()
    }
}

impl Token {
    pub(super) fn check_expiry(&self, now: u64) -> Result<(), Error> {
        if self.expires <= now { Err(Error::Expired { node: self.node.clone() }) } else { Ok(()) }
    }

    /// The text that an operator carries.
    #[must_use]
    pub fn to_text(&self) -> String {
        let json = serde_json::to_vec(self).expect("strings and numbers always become JSON");
        URL_SAFE_NO_PAD.encode(json)
    }
}

impl FromStr for Token {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('=')).map_err(|error| Error::Token(error.to_string()))?;
        let mut token: Self = serde_json::from_slice(&bytes).map_err(|error| Error::Token(error.to_string()))?;
        if token.v != 1 {
            return Err(Error::Token(format!("it has version {}, this program knows version 1", token.v)));
        }
        token.ca.make_ascii_lowercase();
        if token.node.is_empty() || token.node.contains(['/', '\0']) || token.master.parse::<std::net::SocketAddr>().is_err() {
            return Err(Error::Token("its node or master is not one".to_owned()));
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token {
            v: 1,
            master: "127.0.0.1:1817".to_owned(),
            ca: "ab".repeat(32),
            id: "7".to_owned(),
            secret: "hunter2".to_owned(),
            node: "node2.example.com".to_owned(),
            expires: 100,
        }
    }

    #[test]
    fn round_trip() {
        assert_eq!(token().to_text().parse::<Token>().expect("parse"), token());
        assert!(!format!("{:?}", token()).contains("hunter2"));
    }

    #[test]
    fn nonsense_and_other_versions_are_refused() {
        for text in ["", "x", "e30", &Token { v: 2, ..token() }.to_text(), &Token { master: "here".to_owned(), ..token() }.to_text()] {
            assert!(matches!(text.parse::<Token>(), Err(Error::Token(_))), "{text}");
        }
        assert!(token().check_expiry(99).is_ok());
        assert!(matches!(token().check_expiry(100), Err(Error::Expired { .. })));
    }
}

//! Identifiers. Each object kind has its own type, so that a node's UUID cannot be passed where an instance's is meant.
//!
//! They are cheap to clone (a shared string) and are written on the wire as plain strings or numbers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A text that is not of an identifier's form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a valid {what}")]
pub struct InvalidId {
    /// What was expected, e.g. `job id`.
    pub what: &'static str,
    /// What was given.
    pub text: String,
}

macro_rules! uuid_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// A new random identifier (UUID version 4).
            #[must_use]
            pub fn random() -> Self {
                Self(uuid::Uuid::new_v4().to_string().into())
            }

            /// The text of the identifier.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

uuid_type!(
    /// Identifies a node for its whole life in the cluster.
    NodeUuid
);
uuid_type!(
    /// Identifies a node group.
    GroupUuid
);
uuid_type!(
    /// Identifies an instance.
    InstanceUuid
);
uuid_type!(
    /// Identifies a disk.
    DiskUuid
);
uuid_type!(
    /// Identifies a NIC.
    NicUuid
);
uuid_type!(
    /// Identifies a network (an address pool).
    NetworkUuid
);
uuid_type!(
    /// Identifies a job filter rule.
    FilterUuid
);

/// Whether `text` has the form of a UUID as Ganeti writes it (lower case, hyphenated).
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
        })
}

/// The number of a job; numbers grow and are never used twice in a cluster's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct JobId(pub u64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for JobId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse().map(Self).map_err(|_| InvalidId { what: "job id", text: text.to_owned() })
    }
}

/// Ganeti takes numbers and strings of digits.
impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(number) => Ok(Self(number)),
            Form::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

/// The Raft term under which a master acts. Nodes refuse a lower one than they have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_ids_are_numbers_or_digits() {
        assert_eq!(serde_json::from_str::<JobId>("7").unwrap(), JobId(7));
        assert_eq!(serde_json::from_str::<JobId>("\"7\"").unwrap(), JobId(7));
        assert!(serde_json::from_str::<JobId>("\"x\"").is_err());
        assert!(serde_json::from_str::<JobId>("-1").is_err());
    }

    #[test]
    fn uuid_form() {
        assert!(is_uuid(NodeUuid::random().as_str()));
        assert!(!is_uuid("node1"));
        assert!(!is_uuid("00000011-1111-4222-8333-00000000001G"));
    }
}

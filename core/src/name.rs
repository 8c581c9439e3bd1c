//! Names of nodes, instances and clusters, and Ganeti's rule for finding an object by a short name.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A name that Ganeti would refuse (`parity/params.json`: names).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid hostname '{0}'")]
pub struct InvalidName(pub String);

/// Brings a host name into Ganeti's normal form: lower case, without the final dot.
///
/// # Errors
/// [`InvalidName`] when it is empty, longer than 255 bytes, or has a character outside `a-z0-9._-`.
pub fn normalise_host_name(text: &str) -> Result<String, InvalidName> {
    let lower = text.to_ascii_lowercase();
    let name = lower.strip_suffix('.').unwrap_or(&lower);
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > 255 || !name.bytes().all(legal) || name.starts_with('.') || name.contains("..") {
        return Err(InvalidName(text.to_owned()));
    }
    Ok(name.to_owned())
}

macro_rules! host_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text of the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The part before the first dot.
            #[must_use]
            pub fn short(&self) -> &str {
                self.0.split('.').next().unwrap_or(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                normalise_host_name(text).map(|name| Self(name.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
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

host_name!(
    /// The name of a node.
    NodeName
);
host_name!(
    /// The name of an instance.
    InstanceName
);

/// Why a name did not lead to one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchError {
    /// No object has this name.
    None,
    /// Several objects begin with it (their names).
    Several(Vec<String>),
}

/// Finds the one name that `key` means, as Ganeti's `MatchNameComponent`: the whole name, else the only one of which
/// `key` is the first components (`web1` finds `web1.example.com`); letters' case does not matter.
///
/// # Errors
/// [`MatchError`] when there is none, or more than one.
pub fn match_name_component<'a>(key: &str, names: impl Iterator<Item = &'a str>) -> Result<&'a str, MatchError> {
    let lower = key.to_ascii_lowercase();
    let key = lower.strip_suffix('.').unwrap_or(&lower);
    let mut found = Vec::new();
    for name in names {
        if name.eq_ignore_ascii_case(key) {
            return Ok(name);
        }
        let is_prefix = name.len() > key.len()
            && name.as_bytes()[key.len()] == b'.'
            && name.is_char_boundary(key.len())
            && name[..key.len()].eq_ignore_ascii_case(key);
        if is_prefix && !key.is_empty() {
            found.push(name);
        }
    }
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(MatchError::None),
        several => Err(MatchError::Several(several.iter().map(|&name| name.to_owned()).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised() {
        assert_eq!("Node1.Example.COM.".parse::<NodeName>().unwrap().as_str(), "node1.example.com");
        for bad in ["", ".", "a b", "ü", "a..b", ".a"] {
            assert!(bad.parse::<NodeName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn short_names_find_the_only_match() {
        let names = ["web1.a.org", "web1.b.org", "db.a.org", "web10.a.org"];
        let find = |key| match_name_component(key, names.iter().copied());
        assert_eq!(find("db"), Ok("db.a.org"));
        assert_eq!(find("WEB1.A"), Ok("web1.a.org"));
        assert_eq!(find("web1.b.org"), Ok("web1.b.org"));
        assert_eq!(find("web1"), Err(MatchError::Several(vec!["web1.a.org".into(), "web1.b.org".into()])));
        assert_eq!(find("nix"), Err(MatchError::None));
        assert_eq!(find(""), Err(MatchError::None));
    }
}

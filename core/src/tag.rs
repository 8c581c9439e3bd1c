//! Tags: short texts on clusters, nodes, node groups, instances and networks.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Longest tag in bytes (Ganeti: MAX_TAG_LEN).
pub const MAX_TAG_LEN: usize = 128;
/// Most tags on one object (Ganeti: MAX_TAGS_PER_OBJ).
pub const MAX_TAGS_PER_OBJECT: usize = 4096;

/// The tags of one object, sorted.
pub type TagSet = BTreeSet<Tag>;

/// A valid tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

/// Why a text is not a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTag {
    /// The empty text.
    #[error("Tags cannot be empty")]
    Empty,
    /// Longer than [`MAX_TAG_LEN`].
    #[error("Tag too long (maximum {MAX_TAG_LEN} characters)")]
    TooLong,
    /// A character that Ganeti does not allow.
    #[error("Tag '{0}' contains invalid characters")]
    Characters(String),
}

impl Tag {
    /// The text of the tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Tag {
    type Error = InvalidTag;

    /// Ganeti: `[\w.+*/:@-]+`, letters and digits being those of ASCII.
    fn try_from(text: String) -> Result<Self, InvalidTag> {
        if text.is_empty() {
            return Err(InvalidTag::Empty);
        }
        if text.len() > MAX_TAG_LEN {
            return Err(InvalidTag::TooLong);
        }
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"_.+*/:@-".contains(&b);
        if !text.bytes().all(legal) {
            return Err(InvalidTag::Characters(text));
        }
        Ok(Self(text))
    }
}

impl std::str::FromStr for Tag {
    type Err = InvalidTag;

    fn from_str(text: &str) -> Result<Self, InvalidTag> {
        text.to_owned().try_into()
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.0
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_checked() {
        assert!("htools:iextags:a".parse::<Tag>().is_ok());
        assert_eq!("".parse::<Tag>(), Err(InvalidTag::Empty));
        assert_eq!("x".repeat(129).parse::<Tag>(), Err(InvalidTag::TooLong));
        assert!("a b".parse::<Tag>().is_err());
    }
}

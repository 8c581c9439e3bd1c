//! The kinds of things that can be queried.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a query asks about; on the wire the lower-case word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    Cluster,
    Instance,
    Node,
    Group,
    Os,
    Export,
    Network,
    Extstorage,
    Job,
    Lock,
    Filter,
}

/// A word that is not one of the resources.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown query resource '{0}', expected one of cluster, instance, node, group, os, export, network, extstorage, job, lock, filter")]
pub struct UnknownResource(pub String);

impl Resource {
    /// Every resource there is.
    pub const ALL: [Self; 11] = [
        Self::Cluster,
        Self::Instance,
        Self::Node,
        Self::Group,
        Self::Os,
        Self::Export,
        Self::Network,
        Self::Extstorage,
        Self::Job,
        Self::Lock,
        Self::Filter,
    ];

    /// The word used on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Instance => "instance",
            Self::Node => "node",
            Self::Group => "group",
            Self::Os => "os",
            Self::Export => "export",
            Self::Network => "network",
            Self::Extstorage => "extstorage",
            Self::Job => "job",
            Self::Lock => "lock",
            Self::Filter => "filter",
        }
    }

    /// The field that plain names on a command line are compared with.
    #[must_use]
    pub fn name_field(self) -> &'static str {
        match self {
            Self::Job => "id",
            Self::Export => "node",
            Self::Filter => "uuid",
            _ => "name",
        }
    }

    /// Whether plain names of this resource are numbers (only job ids are).
    #[must_use]
    pub fn has_numeric_names(self) -> bool {
        matches!(self, Self::Job)
    }

    /// Whether the LUXI calls `Query` and `QueryFields` answer for it. The others need a job (`OP_QUERY`, `OP_OS_DIAGNOSE`, ...).
    #[must_use]
    pub fn is_via_luxi(self) -> bool {
        !matches!(self, Self::Cluster | Self::Os | Self::Extstorage)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Resource {
    type Err = UnknownResource;

    fn from_str(text: &str) -> Result<Self, UnknownResource> {
        Self::ALL.into_iter().find(|r| r.as_str() == text).ok_or_else(|| UnknownResource(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_both_ways() {
        for resource in Resource::ALL {
            assert_eq!(resource.as_str().parse(), Ok(resource));
            assert_eq!(serde_json::to_value(resource).unwrap(), resource.as_str());
        }
        assert_eq!("vm".parse::<Resource>(), Err(UnknownResource("vm".into())));
    }
}

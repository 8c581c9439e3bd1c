//! Which values a hypervisor parameter takes.

use std::net::Ipv4Addr;

use serde_json::Value;

use super::super::{parse_cpu_mask, parse_multi_cpu_mask};

/// Which values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Check {
    /// Any value of its type.
    Any,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `live` or `non-live`.
    MigrationMode,
    /// An absolute path without `.`, `..` or doubled slashes.
    Path,
    /// Such a path or a URL.
    PathOrUrl,
    /// Zero or more.
    NotNegative,
    /// A number in a range, both ends included, and what is said of another one.
    Range(i64, i64, &'static str),
    /// 0, 4 or 6.
    IpVersion,
    /// One or more of the letters a, c, d and n.
    BootLetters,
    /// `0-2,5`.
    CpuMask,
    /// `0-2,5:all:1`.
    MultiCpuMask,
    /// An IPv4 address.
    Ipv4,
}

/// What must exist on the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeCheck {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A file, unless it is a URL.
    FileOrUrl,
}

/// Why hypervisor parameters are refused. The wording is Ganeti's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HvError {
    /// The hypervisor has no such parameter.
    #[error("Parameter '{0}' is not supported")]
    Unsupported(String),
    /// The values were not filled.
    #[error("Parameter '{0}' is missing")]
    Missing(&'static str),
    /// Nothing where something is needed.
    #[error("Parameter '{0}' is required but is currently not defined")]
    Empty(&'static str),
    /// Not a value that the parameter takes.
    #[error("Parameter '{name}' fails syntax check: {what} (current value: '{value}')")]
    Syntax {
        /// The parameter.
        name: &'static str,
        /// What it should be.
        what: String,
        /// Its value.
        value: String,
    },
    /// Values that do not go together.
    #[error("{0}")]
    Contradiction(String),
    /// An instance sets what only the cluster can set.
    #[error(
        "The following hypervisor parameters are global and cannot be customized at instance level, please modify them at \
         cluster level: {0}"
    )]
    ClusterOnly(String),
}

impl Check {
    /// Whether the value is taken; it is not empty.
    pub(super) fn accepts(self, value: &Value) -> bool {
        let text = value.as_str();
        let number = value.as_i64();
        match self {
            Self::Any => true,
            Self::OneOf(words) => text.is_some_and(|text| words.contains(&text)),
            Self::MigrationMode => matches!(text, Some("live" | "non-live")),
            Self::Path => text.is_some_and(is_normal_path),
            Self::PathOrUrl => text.is_some_and(|text| is_normal_path(text) || is_url(text)),
            Self::NotNegative => number.is_some_and(|number| number >= 0),
            Self::Range(min, max, _) => number.is_some_and(|number| (min..=max).contains(&number)),
            Self::IpVersion => matches!(number, Some(0 | 4 | 6)),
            Self::BootLetters => text.is_some_and(|text| text.chars().all(|c| "acdn".contains(c))),
            Self::CpuMask => text.and_then(parse_cpu_mask).is_some_and(|cpus| !cpus.is_empty()),
            Self::MultiCpuMask => text.and_then(parse_multi_cpu_mask).is_some(),
            Self::Ipv4 => text.is_some_and(|text| text.parse::<Ipv4Addr>().is_ok()),
        }
    }

    /// What is said of another value.
    pub(super) fn message(self) -> String {
        let text = match self {
            Self::Any => "",
            Self::OneOf(words) => return format!("The value must be one of: {}", words.join(", ")),
            Self::MigrationMode => "invalid migration mode",
            Self::Path => "must be an absolute normalized path",
            Self::PathOrUrl => "must be an absolute normalized path or a URL",
            Self::NotNegative => "cannot be negative",
            Self::Range(_, _, message) => message,
            Self::IpVersion => "The SPICE IP version should be 4 or 6",
            Self::BootLetters => "Invalid boot order specified, must be one or more of [acdn]",
            Self::CpuMask => "CPU mask definition is not well-formed",
            Self::MultiCpuMask => "Multiple CPU mask definition is not well-formed",
            Self::Ipv4 => "VNC bind address is not a valid IP address",
        };
        text.to_owned()
    }
}

fn is_normal_path(path: &str) -> bool {
    let normal = |part: &str| !part.is_empty() && part != "." && part != "..";
    path == "/" || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(normal))
}

fn is_url(text: &str) -> bool {
    let known = |scheme: &str| ["http", "https", "ftp", "ftps", "tftp"].contains(&scheme);
    text.split_once("://").is_some_and(|(scheme, rest)| known(&scheme.to_ascii_lowercase()) && !rest.is_empty())
}

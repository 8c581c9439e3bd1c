//! Checks of values that a plain type cannot say: used by the parameters with `deserialize_with`.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::de::{Deserialize, Deserializer, Error};

use super::ListChange;

/// Most disks of one instance (Ganeti: MAX_DISKS).
pub const MAX_DISKS: u8 = 16;

/// A text that is not empty.
pub(super) fn nonempty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    require_nonempty(String::deserialize(deserializer)?)
}

/// Null or a text that is not empty.
pub(super) fn maybe_nonempty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(require_nonempty).transpose()
}

/// A list of texts, none of them empty.
pub(super) fn nonempty_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Vec::<String>::deserialize(deserializer)?.into_iter().map(require_nonempty).collect()
}

/// Null or a list of texts, none of them empty.
pub(super) fn maybe_nonempty_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let texts = Option::<Vec<String>>::deserialize(deserializer)?;
    texts.map(|texts| texts.into_iter().map(require_nonempty).collect()).transpose()
}

/// Null or a number greater than zero.
pub(super) fn maybe_positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match Option::<u64>::deserialize(deserializer)? {
        Some(0) => Err(D::Error::custom("must be greater than zero")),
        number => Ok(number),
    }
}

/// The position of a disk in its instance.
pub(super) fn disk_index<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    require_disk_index(u8::deserialize(deserializer)?)
}

/// Positions of disks.
pub(super) fn disk_indices<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Vec::<u8>::deserialize(deserializer)?.into_iter().map(require_disk_index).collect()
}

/// Null or changes of a list of OS names.
pub(super) fn maybe_os_changes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<(ListChange, String)>>, D::Error> {
    let changes = Option::<Vec<(ListChange, String)>>::deserialize(deserializer)?;
    changes.map(|changes| changes.into_iter().map(|(change, os)| Ok((change, require_nonempty(os)?))).collect()).transpose()
}

/// An IPv4 network as `address/prefix length`.
pub(super) fn ipv4_network<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    require_network::<Ipv4Addr, _>(String::deserialize(deserializer)?, 32)
}

/// Null or an IPv6 network as `address/prefix length`.
pub(super) fn maybe_ipv6_network<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let network = Option::<String>::deserialize(deserializer)?;
    network.map(|network| require_network::<Ipv6Addr, _>(network, 128)).transpose()
}

fn require_nonempty<E: Error>(text: String) -> Result<String, E> {
    if text.is_empty() { Err(E::custom("must not be empty")) } else { Ok(text) }
}

pub(super) fn require_disk_index<E: Error>(index: u8) -> Result<u8, E> {
    if index < MAX_DISKS { Ok(index) } else { Err(E::custom(format!("disk index must be below {MAX_DISKS}"))) }
}

fn require_network<Address: std::str::FromStr, E: Error>(text: String, longest: u8) -> Result<String, E> {
    let valid = text
        .split_once('/')
        .is_some_and(|(address, prefix)| address.parse::<Address>().is_ok() && prefix.parse::<u8>().is_ok_and(|prefix| prefix <= longest));
    if valid { Ok(text) } else { Err(E::custom(format!("'{text}' is not a network"))) }
}

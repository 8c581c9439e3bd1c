//! Requests for NICs and disks, as clients write them.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::param::closed_set;

closed_set! {
    /// What can be said about a NIC.
    pub enum NicParam ("NIC parameter") {
        /// Older name of `link` for bridges.
        Bridge = "bridge",
        /// IP address, `none`, or `pool` for the next free one of the network.
        Ip = "ip",
        /// The bridge, switch or routing table.
        Link = "link",
        /// MAC address, `auto` or `generate`.
        Mac = "mac",
        /// The way it is connected, see [`crate::param::NicMode`].
        Mode = "mode",
        /// Its name in the instance.
        Name = "name",
        /// The network whose addresses it uses.
        Network = "network",
        /// VLAN of a port on Open vSwitch.
        Vlan = "vlan",
    }
}

/// What is wanted of a NIC. A parameter that is there with null differs from one that is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NicParamsRequest(pub BTreeMap<NicParam, Option<String>>);

impl NicParamsRequest {
    /// Whether the parameter is there, be it null.
    #[must_use]
    pub fn is_set(&self, param: NicParam) -> bool {
        self.0.contains_key(&param)
    }

    /// The text of a parameter; `None` when it is absent or null.
    #[must_use]
    pub fn get(&self, param: NicParam) -> Option<&str> {
        self.0.get(&param)?.as_deref()
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, param: NicParam, value: impl Into<String>) -> Self {
        self.0.insert(param, Some(value.into()));
        self
    }
}

/// A value in a disk request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DiskValue {
    /// A number; sizes are in MiB.
    Number(i64),
    /// A text that is not empty.
    Text(String),
}

impl std::fmt::Display for DiskValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for DiskValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(i64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Text(text) if text.is_empty() => Err(D::Error::custom("value must not be empty")),
            Form::Text(text) => Ok(Self::Text(text)),
            Form::Number(number) => Ok(Self::Number(number)),
        }
    }
}

/// What is wanted of a disk: `size` (MiB), `mode`, `vg`, `metavg`, `adopt`, `name`, `provider`, `spindles`, `access`,
/// `dev_type`, and for the template `ext` whatever the provider understands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct DiskParamsRequest(pub BTreeMap<String, DiskValue>);

impl DiskParamsRequest {
    /// Names that mean something to the cluster itself; others go to the storage provider.
    pub const WELL_KNOWN: [&'static str; 10] =
        ["access", "adopt", "dev_type", "metavg", "mode", "name", "provider", "size", "spindles", "vg"];

    /// A disk of a size in MiB.
    #[must_use]
    pub fn of_size(mib: u32) -> Self {
        Self::default().with("size", DiskValue::Number(i64::from(mib)))
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, param: &str) -> Option<&DiskValue> {
        self.0.get(param)
    }

    /// The value of a parameter as text.
    #[must_use]
    pub fn text(&self, param: &str) -> Option<&str> {
        match self.0.get(param)? {
            DiskValue::Text(text) => Some(text),
            DiskValue::Number(_) => None,
        }
    }

    /// The size in MiB, from a number or a text with a unit; `None` when it is absent or no size.
    #[must_use]
    pub fn size_mib(&self) -> Option<u64> {
        match self.0.get("size")? {
            DiskValue::Number(number) => u64::try_from(*number).ok(),
            DiskValue::Text(text) => crate::param::parse_unit(text).ok(),
        }
    }

    /// Parameters that only the storage provider understands.
    pub fn provider_params(&self) -> impl Iterator<Item = (&str, &DiskValue)> {
        let entries = self.0.iter().map(|(name, value)| (name.as_str(), value));
        entries.filter(|(name, _)| !Self::WELL_KNOWN.contains(name))
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, param: impl Into<String>, value: DiskValue) -> Self {
        self.0.insert(param.into(), value);
        self
    }
}

impl<'de> Deserialize<'de> for DiskParamsRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let params = BTreeMap::<String, DiskValue>::deserialize(deserializer)?;
        if params.contains_key("") {
            return Err(D::Error::custom("the name of a disk parameter must not be empty"));
        }
        Ok(Self(params))
    }
}

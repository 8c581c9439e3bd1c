//! Reports of the monitoring daemons as JSON. A key that does not belong to one spoils it, as in the reference.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use crate::load::Error;
use crate::load::number::LARGEST;

/// What one collector said.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "a report without one of these is none")]
pub struct Report {
    name: String,
    version: String,
    format_version: Real,
    timestamp: Real,
    #[serde(default)]
    category: Option<Category>,
    kind: Kind,
    data: Box<RawValue>,
}

/// What a collector is about.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Category {
    Instance,
    Storage,
    Daemon,
    Hypervisor,
}

/// Numbers (0) or a state (1).
#[derive(Debug, Clone, Copy)]
struct Kind;

/// A number, read as exactly as it is written.
#[derive(Debug, Clone, Copy)]
struct Real(f64);

/// The CPU load of a node.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "a report without one of these is none")]
struct NodeCpus {
    cpu_number: Real,
    cpus: Vec<Real>,
    cpu_total: Real,
}

impl Report {
    /// The report that a monitoring daemon answers with.
    ///
    /// # Errors
    /// The text is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| Error::new(error.to_string()))
    }

    pub(super) fn node_load(&self) -> Option<f64> {
        serde_json::from_str::<NodeCpus>(self.data.get()).ok().and_then(|cpus| cpus.cpu_total.load())
    }

    pub(super) fn instance_loads(&self) -> Option<BTreeMap<String, f64>> {
        let loads: BTreeMap<String, Real> = serde_json::from_str(self.data.get()).ok()?;
        loads.into_iter().map(|(name, load)| Some((name, load.load()?))).collect()
    }
}

impl Real {
    /// A load that can be reckoned with.
    fn load(self) -> Option<f64> {
        (self.0.abs() <= crate::state::real(LARGEST)).then_some(self.0)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Real::deserialize(deserializer)? {
            Real(0.0 | 1.0) => Ok(Self),
            Real(other) => Err(de::Error::custom(format!("the kind {other} is not known"))),
        }
    }
}

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The JSON reader's own numbers may be off in the last bit.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let number = raw.get().parse::<f64>().map_err(|_| de::Error::custom(format!("{} is no number", raw.get())))?;
        if number.is_finite() { Ok(Self(number)) } else { Err(de::Error::custom(format!("{number} is too large"))) }
    }
}

/// A file of what all monitoring daemons said: reports by the names of nodes.
///
/// # Errors
/// It is not JSON, or one of its reports is none.
pub fn parse_file(text: &str) -> Result<Reports, Error> {
    #[derive(Deserialize)]
    struct OfNode {
        node: String,
        reports: Vec<Report>,
    }
    let nodes: Vec<OfNode> = serde_json::from_str(text).map_err(|error| Error::new(error.to_string()))?;
    Ok(Reports(nodes.into_iter().map(|of| (of.node, of.reports)).collect()))
}

/// Reports by the names of nodes.
#[derive(Debug, Clone)]
pub struct Reports(HashMap<String, Vec<Report>>);

impl Reports {
    /// What a collector said on a node; the first of several reports counts.
    #[must_use]
    pub fn find(&self, node: &str, collector: &str) -> Option<&Report> {
        self.0.get(node)?.iter().find(|report| report.name == collector)
    }
}

//! Backend parameters: what an instance gets whatever its hypervisor is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Filled, Param};
use crate::config::ParamMap;
use crate::quantity::Mib;

/// All backend parameters.
pub const TABLE: &[Param] = &[
    Param::bool("always_failover", false),
    Param::bool("auto_balance", true),
    Param::size("maxmem", 128),
    Param::size("minmem", 128),
    Param::int("spindle_use", 1),
    Param::int("vcpus", 1),
];

/// Older name that sets `minmem` and `maxmem` at once.
pub const MEMORY_ALIAS: &str = "memory";

/// Backend parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BeParams(pub ParamMap);

/// Replaces [`MEMORY_ALIAS`] by the two parameters it stands for. Does nothing when it is absent.
pub fn expand_memory(params: &mut ParamMap) {
    if let Some(memory) = params.remove(MEMORY_ALIAS) {
        params.insert("maxmem".to_owned(), memory.clone());
        params.insert("minmem".to_owned(), memory);
    }
}

impl Filled<BeParams> {
    /// Memory at start.
    #[must_use]
    pub fn maxmem(&self) -> Mib {
        Mib(self.natural("maxmem"))
    }

    /// Memory it can be reduced to.
    #[must_use]
    pub fn minmem(&self) -> Mib {
        Mib(self.natural("minmem"))
    }

    /// Virtual CPUs.
    #[must_use]
    pub fn vcpus(&self) -> u64 {
        self.natural("vcpus")
    }

    /// Whether it counts in N+1 checks and balancing.
    #[must_use]
    pub fn auto_balance(&self) -> bool {
        self.bool("auto_balance")
    }

    /// Whether it is failed over where others are migrated.
    #[must_use]
    pub fn always_failover(&self) -> bool {
        self.bool("always_failover")
    }

    /// Spindles it is counted with.
    #[must_use]
    pub fn spindle_use(&self) -> u64 {
        self.natural("spindle_use")
    }

    /// What contradicts itself; `None` when all is well.
    #[must_use]
    pub fn contradiction(&self) -> Option<String> {
        let (min, max) = (self.minmem().0, self.maxmem().0);
        (min > max).then(|| format!("minmem ({min}) cannot be higher than maxmem ({max})"))
    }

    fn bool(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    /// A number; zero when the configuration holds something else, which its checks do not let in.
    fn natural(&self, name: &str) -> u64 {
        self.0.get(name).and_then(Value::as_u64).unwrap_or(0)
    }
}

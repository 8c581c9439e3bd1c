//! Hypervisor, backend and OS parameters of a new instance.

use std::collections::{BTreeMap, BTreeSet};

use gannet_core::config::{Config, ParamMap};
use gannet_core::opcode::{Dict, InstanceCreate, REDACTED};
use gannet_core::param::{self, HvLayers, HypervisorKind, INHERIT, be, fill, hv};
use serde_json::Value;

use crate::refusal::Refusal;

/// Ganeti's word for: as inherited.
const AUTO: &str = "auto";

/// OS parameters in their three kinds.
pub(super) struct OsParams {
    pub(super) public: BTreeMap<String, String>,
    pub(super) private: BTreeMap<String, String>,
    pub(super) secret: BTreeMap<String, String>,
}

/// The values that are given; `auto` and `default` mean the inherited one.
fn given(dict: &Dict) -> ParamMap {
    let inherits = |value: &Value| value == AUTO || value == INHERIT;
    dict.iter().filter(|(_, value)| !inherits(value)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn invalid(error: impl std::fmt::Display) -> Refusal {
    Refusal::invalid(error.to_string())
}

/// The instance's own hypervisor parameters.
pub(super) fn hv(config: &Config, op: &InstanceCreate, kind: HypervisorKind, os: &str) -> Result<ParamMap, Refusal> {
    let own = hv::check_names_and_types(&given(&op.hvparams)).map_err(invalid)?;
    hv::check_not_cluster_only(own.keys()).map_err(invalid)?;
    let cluster = config.cluster();
    let nothing = ParamMap::new();
    let layers = HvLayers { cluster: &cluster.hvparams, os_hvp: &cluster.os_hvp, os: Some(os), instance: &nothing };
    hv::check(kind, &fill::hv(kind, HvLayers { instance: &own, ..layers }).0).map_err(invalid)?;
    let inherited = fill::hv(kind, layers).into_inner().0;
    Ok(without_defaults(op, own, &inherited))
}

/// The instance's own backend parameters.
pub(super) fn be(config: &Config, op: &InstanceCreate) -> Result<ParamMap, Refusal> {
    let mut wanted = given(&op.beparams);
    be::expand_memory(&mut wanted);
    let own = param::check_names_and_types(be::TABLE, &wanted).map_err(invalid)?;
    let filled = fill::be(&config.cluster().beparams, &own);
    if let Some(text) = filled.contradiction() {
        return Err(Refusal::invalid(text));
    }
    if filled.vcpus() == 0 || filled.maxmem().0 == 0 {
        return Err(Refusal::invalid("An instance needs at least one virtual CPU (vcpus) and some memory (maxmem)"));
    }
    Ok(without_defaults(op, own, &fill::be(&config.cluster().beparams, &ParamMap::new()).0))
}

/// With `identify_defaults`, what is as it would be inherited is not recorded.
pub(super) fn without_defaults(op: &InstanceCreate, mut own: ParamMap, inherited: &ParamMap) -> ParamMap {
    if op.identify_defaults {
        own.retain(|name, value| inherited.get(name) != Some(value));
    }
    own
}

/// OS parameters; one name in two kinds is refused.
pub(super) fn os(op: &InstanceCreate) -> Result<OsParams, Refusal> {
    let text = |(name, value): (&String, &Value)| match value {
        Value::Array(_) | Value::Object(_) | Value::Null => Err(Refusal::invalid(format!("OS parameter '{name}' must be a text"))),
        other => Ok((name.clone(), param::shown(other))),
    };
    let public: BTreeMap<String, String> = op.osparams.iter().map(text).collect::<Result<_, _>>()?;
    let private: BTreeMap<String, String> =
        op.osparams_private.iter().flatten().map(|(name, value)| text((name, &value.0))).collect::<Result<_, _>>()?;
    let secret: BTreeMap<String, String> =
        op.osparams_secret.iter().flatten().map(|(name, value)| text((name, &value.0))).collect::<Result<_, _>>()?;
    if secret.values().any(|value| value == REDACTED) {
        // Secrets live in memory only: this job comes from the records of a master daemon that has ended.
        return Err(Refusal::state("The secret OS parameters of this job were lost when the master daemon was restarted; submit it again"));
    }
    let mut seen = BTreeSet::new();
    let repeated: BTreeSet<&str> =
        public.keys().chain(private.keys()).chain(secret.keys()).map(String::as_str).filter(|name| !seen.insert(*name)).collect();
    if repeated.is_empty() {
        return Ok(OsParams { public, private, secret });
    }
    let names: Vec<&str> = repeated.into_iter().collect();
    Err(Refusal::invalid(format!("OS parameters repeated in multiple categories: {}", names.join(", "))))
}

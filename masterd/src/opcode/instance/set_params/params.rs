//! Backend, hypervisor and OS parameters after the request. Pure.

use std::collections::BTreeMap;

use gannet_core::config::{Config, Instance, ParamMap};
use gannet_core::opcode::{Dict, InstanceSetParams};
use gannet_core::param::{be, changed, check_changes, fill, hv};
use serde_json::Value;

use super::story::Story;
use crate::opcode::instance::os_params;
use crate::refusal::Refusal;
use crate::rule::spec;

pub(super) fn backend(config: &Config, instance: &mut Instance, request: &Dict, story: &mut Story) -> Result<(), Refusal> {
    if request.is_empty() {
        return Ok(());
    }
    let mut wanted: ParamMap = request.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    be::expand_memory(&mut wanted);
    let changes = check_changes(be::TABLE, &wanted).map_err(|error| Refusal::invalid(error.to_string()))?;
    instance.beparams = changed(&instance.beparams, &changes);
    let filled = fill::be(&config.cluster().beparams, &instance.beparams);
    if let Some(text) = filled.contradiction() {
        return Err(Refusal::invalid(text));
    }
    wanted.into_iter().for_each(|(name, value)| story.tell(format!("be/{name}"), value));
    Ok(())
}

pub(super) fn hypervisor(config: &Config, instance: &mut Instance, request: &Dict, story: &mut Story) -> Result<(), Refusal> {
    if request.is_empty() {
        return Ok(());
    }
    let invalid = |error: &dyn std::error::Error| Refusal::invalid(error.to_string());
    hv::check_not_cluster_only(request.keys()).map_err(|error| invalid(&error))?;
    let changes = hv::check_changes(request).map_err(|error| invalid(&error))?;
    instance.hvparams = changed(&instance.hvparams, &changes);
    hv::check(spec::hypervisor(instance), &spec::hv(config, instance).0).map_err(|error| invalid(&error))?;
    request.iter().for_each(|(name, value)| story.tell(format!("hv/{name}"), value.clone()));
    Ok(())
}

pub(super) fn os(instance: &mut Instance, op: &InstanceSetParams, story: &mut Story) -> Result<(), Refusal> {
    if let Some(name) = &op.os_name {
        instance.os.clone_from(name);
        story.tell("os_name", name.as_str());
    }
    let private: BTreeMap<&String, &Value> = op.osparams_private.iter().flatten().map(|(name, value)| (name, &value.0)).collect();
    os_params::check_distinct([op.osparams.keys().collect(), private.keys().copied().collect()])?;
    instance.osparams = os_params::merged(&instance.osparams, &op.osparams)?;
    instance.osparams_private = os_params::merged(&instance.osparams_private, private.iter().map(|(name, value)| (*name, *value)))?;
    op.osparams.iter().for_each(|(name, value)| story.tell(format!("os/{name}"), value.clone()));
    // The value is shown to nobody; the words are Ganeti's.
    private.keys().for_each(|name| story.tell(format!("os_private/{name}"), format!("Private(?, descr='{name}')")));
    Ok(())
}

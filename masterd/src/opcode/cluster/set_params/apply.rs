//! The settings after a request. Pure.

use std::collections::{BTreeMap, BTreeSet};

use gannet_core::config::{Cluster, Config, ParamMap};
use gannet_core::opcode::{ClusterSetParams, ListChange};
use gannet_core::param::{DiskTemplate, HypervisorKind, INHERIT, UnknownWord};
use serde_json::{Map, Value};

use crate::refusal::Refusal;
use crate::rule::{place, settings};

/// The new settings, and what is to be said about them.
pub(super) fn apply(unit: &ClusterSetParams, config: &Config) -> Result<(Cluster, Vec<String>), Refusal> {
    check_not_built(unit)?;
    let mut new = Cluster::clone(config.cluster());
    let mut notes = Vec::new();
    hypervisors(unit, config, &mut new)?;
    templates(unit, config, &mut new)?;
    parameters(unit, &mut new)?;
    os(unit, &mut new, &mut notes)?;
    plain(unit, &mut new)?;
    network(unit, &mut new)?;
    collectors(unit, &mut new)?;
    Ok((new, notes))
}

fn check_not_built(unit: &ClusterSetParams) -> Result<(), Refusal> {
    let refuse = |what: &str| Err(Refusal::invalid(format!("{what} not available in this version of Gannet yet")));
    let wanted = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    if unit.hv_state.is_some() || unit.disk_state.is_some() {
        return refuse("Static capacities (hv_state, disk_state) are");
    }
    if wanted(&unit.vg_name) || unit.reserved_lvs.as_ref().is_some_and(|lvs| !lvs.is_empty()) {
        return refuse("LVM storage is");
    }
    if wanted(&unit.drbd_helper) {
        return refuse("DRBD is");
    }
    if wanted(&unit.instance_communication_network) {
        return refuse("The network between guests and their node is");
    }
    Ok(())
}

fn parse<T: std::str::FromStr<Err = UnknownWord>>(words: &[String]) -> Vec<T> {
    words.iter().filter_map(|word| word.parse().ok()).collect()
}

fn hypervisors(unit: &ClusterSetParams, config: &Config, new: &mut Cluster) -> Result<(), Refusal> {
    if let Some(wanted) = &unit.enabled_hypervisors {
        settings::check_hypervisors(wanted)?;
        let words: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        if let Some(instance) = config.instances().find(|instance| !words.contains(&instance.hypervisor)) {
            return Err(Refusal::invalid(format!(
                "Hypervisor '{}' cannot be disabled: instance {} uses it",
                instance.hypervisor, instance.name
            )));
        }
        new.enabled_hypervisors = words;
    }
    let enabled: Vec<HypervisorKind> = parse(&new.enabled_hypervisors);
    if unit.hvparams.is_some() || unit.enabled_hypervisors.is_some() {
        let none = BTreeMap::new();
        new.hvparams = settings::hvparams(&new.hvparams, unit.hvparams.as_ref().unwrap_or(&none), &enabled)?;
    }
    if let Some(request) = &unit.os_hvp {
        new.os_hvp = settings::os_hvp(&new.os_hvp, request, &new.hvparams)?;
    }
    Ok(())
}

fn templates(unit: &ClusterSetParams, config: &Config, new: &mut Cluster) -> Result<(), Refusal> {
    if let Some(wanted) = &unit.enabled_disk_templates {
        settings::check_templates(wanted)?;
        let words: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        let in_use: BTreeSet<&str> = config.instances().map(|instance| config.disk_template(instance)).collect();
        let is_gone = |template: &&&str| {
            let was = config.cluster().enabled_disk_templates.iter().any(|old| old == **template);
            was && !words.iter().any(|word| word == **template)
        };
        if let Some(template) = in_use.iter().find(is_gone) {
            return Err(Refusal::state(format!(
                "Cannot disable disk template '{template}', because there is at least one instance using it"
            )));
        }
        new.enabled_disk_templates = words;
    }
    let enabled: Vec<DiskTemplate> = parse(&new.enabled_disk_templates);
    for (what, given, directory, template) in [
        ("file storage", &unit.file_storage_dir, &mut new.file_storage_dir, DiskTemplate::File),
        ("shared file storage", &unit.shared_file_storage_dir, &mut new.shared_file_storage_dir, DiskTemplate::SharedFile),
        ("Gluster storage", &unit.gluster_storage_dir, &mut new.gluster_storage_dir, DiskTemplate::Gluster),
    ] {
        if let Some(given) = given {
            directory.clone_from(given);
        }
        if given.is_some() || unit.enabled_disk_templates.is_some() {
            settings::storage_dir(what, directory, enabled.contains(&template))?;
        }
    }
    if unit.ipolicy.is_some() || unit.enabled_disk_templates.is_some() {
        let none = Map::new();
        let policy = settings::cluster_ipolicy(&new.ipolicy, unit.ipolicy.as_ref().unwrap_or(&none))?;
        settings::check_policy_templates(&policy.disk_templates, &enabled)?;
        new.ipolicy = serde_json::to_value(policy).map_err(|error| Refusal::invalid(error.to_string()))?;
    }
    Ok(())
}

fn parameters(unit: &ClusterSetParams, new: &mut Cluster) -> Result<(), Refusal> {
    let default = |map: &BTreeMap<String, ParamMap>| map.get("default").cloned().unwrap_or_default();
    if let Some(request) = &unit.beparams {
        let values = settings::beparams(&default(&new.beparams), request)?;
        new.beparams.insert("default".to_owned(), values);
    }
    if let Some(request) = &unit.nicparams {
        let request = request.0.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone().map_or(Value::Null, Value::String)));
        let values = settings::nicparams(&default(&new.nicparams), &request.collect())?;
        new.nicparams.insert("default".to_owned(), values);
    }
    if let Some(request) = &unit.ndparams {
        new.ndparams = settings::ndparams(&new.ndparams, request)?;
    }
    if let Some(request) = &unit.diskparams {
        new.diskparams = settings::diskparams(&new.diskparams, request.iter().map(|(template, values)| (template.as_str(), values)))?;
    }
    Ok(())
}

fn os(unit: &ClusterSetParams, new: &mut Cluster, notes: &mut Vec<String>) -> Result<(), Refusal> {
    for (os, request) in unit.osparams.iter().flatten() {
        change_os(&mut new.osparams, os, request.iter())?;
    }
    for (os, request) in unit.osparams_private_cluster.iter().flatten() {
        change_os(&mut new.osparams_private_cluster, os, request.iter().map(|(name, value)| (name, &value.0)))?;
    }
    for (what, changes, list) in
        [("hidden", &unit.hidden_os, &mut new.hidden_os), ("blacklisted", &unit.blacklisted_os, &mut new.blacklisted_os)]
    {
        for (change, os) in changes.iter().flatten() {
            match (change, list.iter().position(|known| known == os)) {
                (ListChange::Add, None) => list.push(os.clone()),
                (ListChange::Add, Some(_)) => notes.push(format!("OS {os} already in {what}, ignoring")),
                (ListChange::Remove, Some(position)) => drop(list.remove(position)),
                (ListChange::Remove, None) => notes.push(format!("OS {os} not found in {what}, ignoring")),
                (other, _) => return Err(Refusal::invalid(format!("Invalid modification '{other}' of the list of {what} OSes"))),
            }
        }
    }
    Ok(())
}

/// Null and `default` remove a parameter; an OS without any is forgotten.
fn change_os<'a>(
    all: &mut BTreeMap<String, BTreeMap<String, String>>,
    os: &str,
    request: impl Iterator<Item = (&'a String, &'a Value)>,
) -> Result<(), Refusal> {
    let own = all.entry(os.to_owned()).or_default();
    for (name, value) in request {
        match value {
            Value::Null => drop(own.remove(name)),
            Value::String(text) if text == INHERIT => drop(own.remove(name)),
            Value::String(text) => drop(own.insert(name.clone(), text.clone())),
            Value::Number(number) => drop(own.insert(name.clone(), number.to_string())),
            _ => return Err(Refusal::invalid(format!("The parameter {name} of OS {os} must be a text"))),
        }
    }
    if own.is_empty() {
        all.remove(os);
    }
    Ok(())
}

fn plain(unit: &ClusterSetParams, new: &mut Cluster) -> Result<(), Refusal> {
    fn set<T: Clone>(place: &mut T, value: &Option<T>) {
        if let Some(value) = value {
            place.clone_from(value);
        }
    }
    let small = |name: &str, value: u64| u32::try_from(value).map_err(|_| Refusal::invalid(format!("{name} is too large: {value}")));
    if let Some(size) = unit.candidate_pool_size {
        new.candidate_pool_size = small("candidate_pool_size", size)?;
    }
    if let Some(count) = unit.max_running_jobs {
        new.max_running_jobs = small("max_running_jobs", count)?;
    }
    if let Some(count) = unit.max_tracked_jobs {
        new.max_tracked_jobs = small("max_tracked_jobs", count)?;
    }
    set(&mut new.maintain_node_health, &unit.maintain_node_health);
    set(&mut new.prealloc_wipe_disks, &unit.prealloc_wipe_disks);
    set(&mut new.modify_etc_hosts, &unit.modify_etc_hosts);
    set(&mut new.enabled_user_shutdown, &unit.enabled_user_shutdown);
    set(&mut new.install_image, &unit.install_image);
    set(&mut new.zeroing_image, &unit.zeroing_image);
    set(&mut new.default_iallocator, &unit.default_iallocator);
    if let Some(params) = &unit.default_iallocator_params {
        new.default_iallocator_params = params.clone().into_iter().collect();
    }
    if new.default_iallocator == place::BUILT_IN {
        place::Rules::read(&new.default_iallocator_params)?;
    }
    if let Some(tools) = &unit.compression_tools {
        settings::compression_tools(tools)?;
        new.compression_tools.clone_from(tools);
    }
    uids(unit, new)
}

fn uids(unit: &ClusterSetParams, new: &mut Cluster) -> Result<(), Refusal> {
    if let Some(pool) = &unit.uid_pool {
        new.uid_pool = settings::uid_pool(pool)?;
    }
    for range in settings::uid_pool(unit.add_uids.as_deref().unwrap_or_default())? {
        if new.uid_pool.contains(&range) {
            return Err(Refusal::invalid(format!("User-id range {}-{} is already in the pool", range.0, range.1)));
        }
        new.uid_pool.push(range);
    }
    for range in settings::uid_pool(unit.remove_uids.as_deref().unwrap_or_default())? {
        let position = new.uid_pool.iter().position(|known| *known == range);
        let position = position.ok_or_else(|| {
            Refusal::invalid(format!("User-id range to be removed is not found in the current user-id pool: {}-{}", range.0, range.1))
        })?;
        new.uid_pool.remove(position);
    }
    new.uid_pool.sort_unstable();
    Ok(())
}

fn network(unit: &ClusterSetParams, new: &mut Cluster) -> Result<(), Refusal> {
    if let Some(prefix) = &unit.mac_prefix {
        new.mac_prefix = settings::mac_prefix(prefix)?;
    }
    if let Some(device) = &unit.master_netdev {
        if device.is_empty() {
            return Err(Refusal::invalid("The master netdev cannot be empty"));
        }
        new.master_netdev.clone_from(device);
    }
    if let Some(bits) = unit.master_netmask {
        new.master_netmask = settings::netmask(bits, new.primary_ip_family == 10)?;
    }
    if let Some(external) = unit.use_external_mip_script {
        new.use_external_mip_script = external;
    }
    Ok(())
}

fn collectors(unit: &ClusterSetParams, new: &mut Cluster) -> Result<(), Refusal> {
    let unknown = |name: &String| Refusal::invalid(format!("Unknown data collector '{name}'"));
    for (name, active) in unit.enabled_data_collectors.iter().flatten() {
        new.data_collectors.get_mut(name).ok_or_else(|| unknown(name))?.active = *active;
    }
    for (name, interval) in unit.data_collector_interval.iter().flatten() {
        if *interval <= 0 {
            return Err(Refusal::invalid(format!("The interval of data collector '{name}' must be above 0")));
        }
        new.data_collectors.get_mut(name).ok_or_else(|| unknown(name))?.interval = (*interval).into();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rule::sample;

    fn changed(parameters: Value) -> Result<Cluster, String> {
        let unit: ClusterSetParams = serde_json::from_value(parameters).expect("parameters of the opcode");
        apply(&unit, &sample::config()).map(|(cluster, _)| cluster).map_err(|refusal| refusal.message)
    }

    #[test]
    fn what_is_asked_for_changes_and_the_rest_stays() {
        let old = Cluster::clone(sample::config().cluster());
        assert_eq!(changed(json!({})), Ok(old.clone()));
        let new = changed(json!({
            "candidate_pool_size": 3, "beparams": {"vcpus": 2}, "hvparams": {"kvm": {"acpi": false}}, "mac_prefix": "AA:BB:CC",
            "osparams": {"debian": {"size": "big"}}, "add_uids": [[10, 20]], "blacklisted_os": [["remove", "old"], ["add", "bad"]]
        }))
        .expect("good values");
        assert_eq!(new.candidate_pool_size, 3);
        assert_eq!(new.beparams["default"]["vcpus"], json!(2));
        assert_eq!(new.hvparams["kvm"]["acpi"], json!(false));
        assert_eq!((new.mac_prefix.as_str(), &new.blacklisted_os), ("aa:bb:cc", &vec!["bad".to_owned()]));
        assert_eq!((new.osparams["debian"]["size"].as_str(), &new.uid_pool), ("big", &vec![(10, 20)]));
        assert_eq!(new.master_ip, old.master_ip);
    }

    #[test]
    fn what_is_in_use_stays() {
        assert!(changed(json!({"enabled_hypervisors": ["kvm"]})).is_err_and(|text| text.contains("web1")));
        assert!(changed(json!({"enabled_disk_templates": ["diskless"]})).is_err_and(|text| text.contains("'file'")));
        assert!(changed(json!({"file_storage_dir": ""})).is_err());
        assert!(changed(json!({"remove_uids": [[1, 2]]})).is_err());
        assert!(changed(json!({"vg_name": "xenvg"})).is_err_and(|text| text.contains("LVM")));
        assert!(changed(json!({"data_collector_interval": {"lv": 1}})).is_err(), "the sample has no collectors");
    }
}

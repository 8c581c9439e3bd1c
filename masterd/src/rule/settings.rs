//! The cluster's parameters: what may be set, filled with the defaults where Ganeti stores them filled. Pure.

use std::collections::BTreeMap;

use gannet_core::config::ParamMap;
use gannet_core::param::ipolicy::{IPolicy, PartialIPolicy};
use gannet_core::param::{self, Change, DiskTemplate, HvLayers, HypervisorKind, Param, be, changed, disk, fill, hv, ipolicy, nd, nic};
use serde_json::{Map, Value};

use crate::refusal::Refusal;

type Dict = Map<String, Value>;

/// Hypervisors that this version can run guests with.
pub const BUILT_HYPERVISORS: &[HypervisorKind] = &[HypervisorKind::Kvm, HypervisorKind::Fake];
/// Disk templates that this version has.
pub const BUILT_TEMPLATES: &[DiskTemplate] = &[DiskTemplate::Diskless, DiskTemplate::File, DiskTemplate::SharedFile];

/// Refuses none, and those that are not built.
pub fn check_hypervisors(wanted: &[HypervisorKind]) -> Result<(), Refusal> {
    if wanted.is_empty() {
        return Err(Refusal::invalid("Enabled hypervisors list must contain at least one member"));
    }
    let Some(missing) = wanted.iter().find(|kind| !BUILT_HYPERVISORS.contains(kind)) else { return Ok(()) };
    Err(Refusal::invalid(format!("Hypervisor '{missing}' is not available in this version of Gannet yet; it has kvm and fake")))
}

/// Refuses none, and those that are not built.
pub fn check_templates(wanted: &[DiskTemplate]) -> Result<(), Refusal> {
    if wanted.is_empty() {
        return Err(Refusal::invalid("Enabled disk templates list must contain at least one member"));
    }
    let Some(missing) = wanted.iter().find(|template| !BUILT_TEMPLATES.contains(template)) else { return Ok(()) };
    Err(Refusal::invalid(format!(
        "Disk template '{missing}' is not available in this version of Gannet yet; it has diskless, file and sharedfile"
    )))
}

/// The changes of a request whose `default` means: the built-in value.
fn with_defaults(table: &[Param], old: &ParamMap, request: &Dict) -> Result<ParamMap, Refusal> {
    let changes = param::check_changes(table, request).map_err(|error| Refusal::invalid(error.to_string()))?;
    Ok(filled(&param::defaults(table), old, &changes))
}

fn filled(defaults: &ParamMap, old: &ParamMap, changes: &BTreeMap<String, Change>) -> ParamMap {
    let new = changed(old, changes);
    fill::overlay([defaults, &new])
}

/// `hvparams` of the cluster after a request. All hypervisors are stored filled, as Ganeti does.
pub fn hvparams(
    old: &BTreeMap<String, ParamMap>,
    request: &BTreeMap<String, Dict>,
    enabled: &[HypervisorKind],
) -> Result<BTreeMap<String, ParamMap>, Refusal> {
    if let Some(unknown) = request.keys().find(|name| name.parse::<HypervisorKind>().is_err()) {
        return Err(Refusal::invalid(format!("Unknown hypervisor '{unknown}' in hypervisor parameters")));
    }
    let one = |kind: &HypervisorKind| {
        let name = kind.as_str();
        let own = old.get(name).cloned().unwrap_or_default();
        let changes = match request.get(name) {
            Some(request) => hv::check_changes(request).map_err(|error| Refusal::invalid(error.to_string()))?,
            None => BTreeMap::new(),
        };
        let new = filled(&hv::defaults(*kind), &own, &changes);
        if enabled.contains(kind) || request.contains_key(name) {
            hv::check(*kind, &new).map_err(|error| Refusal::invalid(format!("hypervisor parameters of {name}: {error}")))?;
        }
        Ok((name.to_owned(), new))
    };
    HypervisorKind::ALL.iter().map(one).collect()
}

/// `os_hvp` after a request; an OS or hypervisor whose values are null loses its own.
pub fn os_hvp(
    old: &BTreeMap<String, BTreeMap<String, ParamMap>>,
    request: &BTreeMap<String, Dict>,
    cluster: &BTreeMap<String, ParamMap>,
) -> Result<BTreeMap<String, BTreeMap<String, ParamMap>>, Refusal> {
    let mut new = old.clone();
    for (os, of_os) in request {
        for (name, values) in of_os {
            let kind: HypervisorKind =
                name.parse().map_err(|_| Refusal::invalid(format!("Unknown hypervisor '{name}' in hypervisor parameters of OS {os}")))?;
            let own = new.entry(os.clone()).or_default();
            let Some(values) = values.as_object() else {
                own.remove(name);
                continue;
            };
            hv::check_not_cluster_only(values.keys()).map_err(|error| Refusal::invalid(error.to_string()))?;
            let changes = hv::check_changes(values).map_err(|error| Refusal::invalid(error.to_string()))?;
            let of_hv = changed(&own.remove(name).unwrap_or_default(), &changes);
            let layers = HvLayers { cluster, os_hvp: &BTreeMap::new(), os: None, instance: &of_hv };
            hv::check(kind, &fill::hv(kind, layers).0)
                .map_err(|error| Refusal::invalid(format!("hypervisor parameters of OS {os}: {error}")))?;
            if !of_hv.is_empty() {
                own.insert(name.clone(), of_hv);
            }
        }
        if new.get(os).is_some_and(BTreeMap::is_empty) {
            new.remove(os);
        }
    }
    Ok(new)
}

/// `beparams["default"]` after a request.
pub fn beparams(old: &ParamMap, request: &Dict) -> Result<ParamMap, Refusal> {
    let mut request: ParamMap = request.clone().into_iter().collect();
    be::expand_memory(&mut request);
    let new = with_defaults(be::TABLE, old, &request.into_iter().collect())?;
    let cluster = BTreeMap::from([("default".to_owned(), new.clone())]);
    match fill::be(&cluster, &ParamMap::new()).contradiction() {
        Some(text) => Err(Refusal::invalid(text)),
        None => Ok(new),
    }
}

/// `nicparams["default"]` after a request.
pub fn nicparams(old: &ParamMap, request: &Dict) -> Result<ParamMap, Refusal> {
    let new = with_defaults(nic::TABLE, old, request)?;
    let cluster = BTreeMap::from([("default".to_owned(), new.clone())]);
    fill::nic(&cluster, None, &ParamMap::new()).check().map_err(|error| Refusal::invalid(error.to_string()))?;
    Ok(new)
}

/// `ndparams` of the cluster after a request.
pub fn ndparams(old: &ParamMap, request: &Dict) -> Result<ParamMap, Refusal> {
    with_defaults(nd::TABLE, old, request)
}

/// `ndparams` of a group or node after a request, in which `default` means: inherit.
pub fn own_ndparams(old: &ParamMap, request: &Dict, of_node: bool) -> Result<ParamMap, Refusal> {
    if of_node && let Some(name) = request.keys().find(|name| nd::GROUP_ONLY.contains(&name.as_str())) {
        return Err(Refusal::invalid(format!(
            "The following node parameters are global and cannot be customized at node level, please modify them at cluster or group level: {name}"
        )));
    }
    let changes = param::check_changes(nd::TABLE, request).map_err(|error| Refusal::invalid(error.to_string()))?;
    Ok(changed(old, &changes))
}

/// `diskparams` of the cluster after a request: all templates, filled.
pub fn diskparams<'a>(
    old: &BTreeMap<String, ParamMap>,
    request: impl IntoIterator<Item = (&'a str, &'a Dict)>,
) -> Result<BTreeMap<String, ParamMap>, Refusal> {
    let request = by_template(request)?;
    let none = Dict::new();
    let one = |template: &DiskTemplate| {
        let name = template.as_str();
        let own = old.get(name).cloned().unwrap_or_default();
        Ok((name.to_owned(), with_defaults(disk::table(*template), &own, request.get(template).copied().unwrap_or(&none))?))
    };
    DiskTemplate::ALL.iter().map(one).collect()
}

/// `diskparams` of a group after a request, in which `default` means: inherit.
pub fn own_diskparams<'a>(
    old: &BTreeMap<String, ParamMap>,
    request: impl IntoIterator<Item = (&'a str, &'a Dict)>,
) -> Result<BTreeMap<String, ParamMap>, Refusal> {
    let mut new = old.clone();
    for (template, values) in by_template(request)? {
        let changes = param::check_changes(disk::table(template), values).map_err(|error| Refusal::invalid(error.to_string()))?;
        let own = changed(&new.remove(template.as_str()).unwrap_or_default(), &changes);
        if !own.is_empty() {
            new.insert(template.as_str().to_owned(), own);
        }
    }
    Ok(new)
}

fn by_template<'a>(request: impl IntoIterator<Item = (&'a str, &'a Dict)>) -> Result<BTreeMap<DiskTemplate, &'a Dict>, Refusal> {
    let parse = |(name, values): (&'a str, &'a Dict)| {
        let template = name.parse().map_err(|error: param::UnknownWord| Refusal::invalid(error.to_string()))?;
        Ok((template, values))
    };
    request.into_iter().map(parse).collect()
}

/// The cluster's instance policy after a request; stored filled.
pub fn cluster_ipolicy(old: &Value, request: &Dict) -> Result<IPolicy, Refusal> {
    let invalid = |error: ipolicy::IPolicyError| Refusal::invalid(error.to_string());
    let policy = IPolicy::default().overlaid(&partial_ipolicy(old)?);
    let old: PartialIPolicy = partial_ipolicy(&serde_json::to_value(&policy).unwrap_or_default())?;
    let new = IPolicy::default().overlaid(&ipolicy::changed(&old, request, false).map_err(invalid)?);
    new.check().map_err(invalid)?;
    Ok(new)
}

/// A group's own instance policy after a request.
pub fn group_ipolicy(old: &Value, request: &Dict) -> Result<PartialIPolicy, Refusal> {
    let invalid = |error: ipolicy::IPolicyError| Refusal::invalid(error.to_string());
    let new = ipolicy::changed(&partial_ipolicy(old)?, request, true).map_err(invalid)?;
    new.check().map_err(invalid)?;
    Ok(new)
}

/// A stored policy.
pub fn partial_ipolicy(stored: &Value) -> Result<PartialIPolicy, Refusal> {
    if stored.is_null() {
        return Ok(PartialIPolicy::default());
    }
    serde_json::from_value(stored.clone())
        .map_err(|error| Refusal::environment(format!("the stored instance policy cannot be read: {error}")))
}

/// Templates that a policy allows must be enabled (Ganeti: CheckIpolicyVsDiskTemplates).
pub fn check_policy_templates(policy: &[DiskTemplate], enabled: &[DiskTemplate]) -> Result<(), Refusal> {
    let missing: Vec<&str> = policy.iter().filter(|template| !enabled.contains(template)).map(|template| template.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "The following disk templates are allowed by the ipolicy, but not enabled on the cluster: {}",
        missing.join(", ")
    )))
}

/// A MAC prefix of three bytes, in lower case.
pub fn mac_prefix(text: &str) -> Result<String, Refusal> {
    let bytes: Vec<&str> = text.split(':').collect();
    let good = bytes.len() == 3 && bytes.iter().all(|byte| byte.len() == 2 && byte.bytes().all(|b| b.is_ascii_hexdigit()));
    if !good {
        return Err(Refusal::invalid(format!("Invalid MAC address prefix '{text}'")));
    }
    let first = u8::from_str_radix(bytes[0], 16).unwrap_or(1);
    if first & 1 == 1 {
        return Err(Refusal::invalid(format!("MAC address prefix '{text}' is that of multicast addresses")));
    }
    Ok(text.to_ascii_lowercase())
}

/// Ranges of user ids; both ends count.
pub fn uid_pool(ranges: &[(i64, i64)]) -> Result<Vec<(u32, u32)>, Refusal> {
    let one = |(low, high): &(i64, i64)| {
        if low > high {
            return Err(Refusal::invalid(format!(
                "Lower user-id range boundary value ({low}) is larger than higher boundary value ({high})"
            )));
        }
        match (u32::try_from(*low), u32::try_from(*high)) {
            (Ok(low), Ok(high)) => Ok((low, high)),
            _ => Err(Refusal::invalid(format!("User-id range boundary value must be in the range 0-{} ({low}-{high})", u32::MAX))),
        }
    };
    ranges.iter().map(one).collect()
}

/// Names of compression tools; `gzip` must be there.
pub fn compression_tools(tools: &[String]) -> Result<(), Refusal> {
    let legal = |tool: &&String| tool.is_empty() || !tool.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if let Some(tool) = tools.iter().find(legal) {
        return Err(Refusal::invalid(format!("Illegal compression tool name '{tool}'")));
    }
    if tools.iter().any(|tool| tool == "gzip") {
        Ok(())
    } else {
        Err(Refusal::invalid("For compatibility reasons, the gzip utility must be present among the compression tools"))
    }
}

/// A directory of disks: empty, or absolute and normal.
pub fn storage_dir(what: &str, path: &str, needed: bool) -> Result<(), Refusal> {
    if path.is_empty() {
        return if needed {
            Err(Refusal::invalid(format!("A directory for {what} is needed as long as its disk template is enabled")))
        } else {
            Ok(())
        };
    }
    let normal =
        std::path::Path::new(path).components().all(|part| matches!(part, std::path::Component::RootDir | std::path::Component::Normal(_)));
    if path.starts_with('/') && path != "/" && normal {
        Ok(())
    } else {
        Err(Refusal::invalid(format!("The path '{path}' for {what} is not absolute and normalised")))
    }
}

/// The prefix length of the master address.
pub fn netmask(netmask: u64, ipv6: bool) -> Result<u8, Refusal> {
    let longest = if ipv6 { 128 } else { 32 };
    u8::try_from(netmask)
        .ok()
        .filter(|bits| (1..=longest).contains(bits))
        .ok_or_else(|| Refusal::invalid(format!("CIDR netmask ({netmask}) not valid; it must be between 1 and {longest}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn dict(value: Value) -> Dict {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn the_cluster_stores_filled_values() {
        let hv =
            hvparams(&BTreeMap::new(), &BTreeMap::from([("kvm".to_owned(), dict(json!({"kernel_path": ""})))]), &[HypervisorKind::Kvm]);
        let hv = hv.expect("good values");
        assert_eq!(hv.len(), HypervisorKind::ALL.len());
        assert_eq!((&hv["kvm"]["kernel_path"], &hv["kvm"]["acpi"]), (&json!(""), &json!(true)));
        let be = beparams(&ParamMap::new(), &dict(json!({"memory": "1G", "vcpus": 2}))).expect("good values");
        assert_eq!((&be["minmem"], &be["maxmem"], &be["vcpus"]), (&json!(1024), &json!(1024), &json!(2)));
        let back = beparams(&be, &dict(json!({"vcpus": "default"}))).expect("good values");
        assert_eq!(back["vcpus"], json!(1));
        assert!(beparams(&be, &dict(json!({"minmem": 2048}))).is_err());
        assert_eq!(diskparams(&BTreeMap::new(), []).expect("defaults").len(), DiskTemplate::ALL.len());
    }

    #[test]
    fn what_is_wrong_is_refused() {
        assert!(hvparams(&BTreeMap::new(), &BTreeMap::from([("kvn".to_owned(), Dict::new())]), &[]).is_err());
        assert!(nicparams(&ParamMap::new(), &dict(json!({"mode": "bridged", "link": ""}))).is_err());
        assert!(mac_prefix("aa:00").is_err() && mac_prefix("ab:00:00").is_err());
        assert_eq!(mac_prefix("AA:00:00").map_err(|error| error.message), Ok("aa:00:00".to_owned()));
        assert!(uid_pool(&[(5, 1)]).is_err() && uid_pool(&[(-1, 1)]).is_err());
        assert!(compression_tools(&["lzop".to_owned()]).is_err());
        assert!(storage_dir("files", "/srv/../etc", true).is_err() && storage_dir("files", "", true).is_err());
        assert!(storage_dir("files", "/srv/ganeti/file-storage", true).is_ok());
        assert!(check_templates(&[DiskTemplate::Drbd]).is_err() && check_hypervisors(&[]).is_err());
        assert_eq!(netmask(24, false).map_err(|error| error.message), Ok(24));
        assert!(netmask(33, false).is_err());
    }

    #[test]
    fn policies() {
        let policy = cluster_ipolicy(&Value::Null, &dict(json!({"vcpu-ratio": 8.0}))).expect("good");
        let stored = serde_json::to_value(&policy).expect("json");
        let again = cluster_ipolicy(&stored, &dict(json!({"spindle-ratio": 2}))).expect("good");
        assert_eq!((again.vcpu_ratio, again.spindle_ratio), (8.0, 2.0));
        assert!(check_policy_templates(&[DiskTemplate::File], &[DiskTemplate::Diskless]).is_err());
        assert!(group_ipolicy(&json!({}), &dict(json!({"std": {}}))).is_ok());
    }
}

//! `OP_CLUSTER_VERIFY_CONFIG`: does the configuration make sense in itself, and are the certificates good?

use std::collections::BTreeMap;

use gannet_core::config::{Config, ParamMap};
use gannet_core::lock::LockSet;
use gannet_core::opcode::{ClusterVerifyConfig, VerifyCode};
use gannet_core::param::{HvLayers, HypervisorKind, fill, hv};
use gannet_core::paths::Paths;
use gannet_core::quantity::Timestamp;

use super::verify_report::{Finding, Style, is_of_config, simulated};
use crate::held::Held;
use crate::job::Steps;
use crate::refusal::{Failure, Refusal};
use crate::rule::role;
use crate::unit::{AfterCrash, LogicalUnit};

/// A certificate that ends within this many days is an error…
const ERROR_DAYS: f64 = 7.0;
/// … and within this many a warning.
const WARNING_DAYS: f64 = 30.0;

impl LogicalUnit for ClusterVerifyConfig {
    /// Whether all is well.
    type Plan = bool;
    type Output = bool;
    const AFTER_CRASH: AfterCrash = AfterCrash::Resume;

    fn locks(&self, _config: &Config) -> Result<LockSet, Refusal> {
        // One snapshot is consistent by itself: no other job has to wait for this one.
        Ok(LockSet::shared_cluster())
    }

    async fn check(&self, held: &Held<'_>) -> Result<bool, Refusal> {
        let style = Style { error_codes: self.error_codes, ignore_errors: self.ignore_errors.clone() };
        let config = held.config();
        let mut good = true;
        for (section, findings) in [
            ("* Verifying cluster config", consistency(config)),
            ("* Verifying cluster certificate files", certificates(held.context().master.paths(), held.now())),
            ("* Verifying hypervisor parameters", hypervisors(config)),
            ("* Verifying all nodes belong to an existing group", dangling(config)),
        ] {
            held.log().info(section);
            for finding in findings {
                let (line, is_error) = style.line(&finding);
                held.log().info(line);
                good &= !is_error;
            }
        }
        if self.debug_simulate_errors {
            let nodes: Vec<String> = config.nodes().map(|node| node.name.to_string()).collect();
            for finding in simulated(is_of_config, &nodes, &[], "") {
                let (line, is_error) = style.line(&finding);
                held.log().info(line);
                good &= !is_error;
            }
        }
        Ok(good)
    }

    async fn execute(plan: &bool, _job: &mut Steps<'_>) -> Result<bool, Failure> {
        Ok(*plan)
    }
}

fn consistency(config: &Config) -> Vec<Finding> {
    let error = |text: String| Finding::error(VerifyCode::ClusterCfg, "", text);
    let mut found = Vec::new();
    let cluster = config.cluster();
    if config.master().is_none() {
        found.push(error(format!("cluster has invalid primary node '{}'", cluster.master_node)));
    }
    let pool = role::pool(config, &[]);
    if pool.now < pool.should {
        found.push(error(format!("Not enough master candidates: actual {}, target {}", pool.now, pool.should)));
    }
    let mut macs: BTreeMap<&str, &str> = BTreeMap::new();
    let mut ports: BTreeMap<u16, &str> = BTreeMap::new();
    for instance in config.instances() {
        for nic in &instance.nics {
            if let Some(other) = macs.insert(&nic.mac, instance.name.as_str()) {
                found.push(error(format!("MAC address {} is used by instances {other} and {}", nic.mac, instance.name)));
            }
        }
        if let Some(port) = instance.network_port
            && let Some(other) = ports.insert(port, instance.name.as_str())
        {
            found.push(error(format!(
                "tcp/udp port {port} has duplicates: instance {other}/network port, instance {}/network port",
                instance.name
            )));
        }
        let missing = instance.disks.iter().filter(|disk| config.disk(disk).is_none());
        found.extend(missing.map(|disk| error(format!("Instance '{}' has invalid disk '{disk}'", instance.name))));
        if !cluster.enabled_hypervisors.contains(&instance.hypervisor) {
            found.push(error(format!("Instance '{}' uses hypervisor '{}', which is not enabled", instance.name, instance.hypervisor)));
        }
    }
    for node in config.nodes() {
        let roles = [node.master_candidate, node.drained, node.offline].iter().filter(|flag| **flag).count();
        if roles > 1 {
            found.push(error(format!(
                "Node {} state is invalid: master_candidate={}, drain={}, offline={}",
                node.name, node.master_candidate, node.drained, node.offline
            )));
        }
    }
    let enabled: Vec<&str> = cluster.enabled_disk_templates.iter().map(String::as_str).collect();
    for instance in config.instances() {
        let template = config.disk_template(instance);
        if template != "mixed" && !enabled.contains(&template) {
            found.push(error(format!("instance '{}' uses the disabled disk template '{template}'", instance.name)));
        }
    }
    found
}

fn certificates(paths: &Paths, now: Timestamp) -> Vec<Finding> {
    let error = |text: String| Finding::error(VerifyCode::ClusterCert, "", text);
    let mut found = Vec::new();
    for path in [paths.ca_cert(), paths.node_cert(), paths.master_cert(), paths.rapi_cert()] {
        let shown = path.display();
        let until = std::fs::read_to_string(&path)
            .map_err(|error| error.to_string())
            .and_then(|pem| crate::pki::not_after(&pem).map_err(|error| error.to_string()));
        match until {
            Err(text) => found.push(error(format!("Failed to load X509 certificate {shown}: {text}"))),
            Ok(until) => found.extend(expiry(&shown.to_string(), (until.as_secs_f64() - now.as_secs_f64()) / 86_400.0)),
        }
    }
    found
}

fn expiry(path: &str, days: f64) -> Option<Finding> {
    if days < 0.0 {
        return Some(Finding::error(VerifyCode::ClusterCert, "", format!("While verifying {path}: Certificate is expired")));
    }
    let text = format!("While verifying {path}: Certificate expires in about {days:.0} days");
    match days {
        days if days < ERROR_DAYS => Some(Finding::error(VerifyCode::ClusterCert, "", text)),
        days if days < WARNING_DAYS => Some(Finding::warning(VerifyCode::ClusterCert, "", text)),
        _ => None,
    }
}

fn hypervisors(config: &Config) -> Vec<Finding> {
    let cluster = config.cluster();
    let error = |text: String| Finding::error(VerifyCode::ClusterCfg, "", text);
    let none = ParamMap::new();
    let mut found = Vec::new();
    let kinds = cluster.enabled_hypervisors.iter().filter_map(|word| word.parse::<HypervisorKind>().ok());
    for kind in kinds {
        let layers = HvLayers { cluster: &cluster.hvparams, os_hvp: &cluster.os_hvp, os: None, instance: &none };
        if let Err(reason) = hv::check(kind, &fill::hv(kind, layers).0) {
            found.push(error(format!("hypervisor {kind} parameters syntax check (source cluster): {reason}")));
        }
        for os in cluster.os_hvp.keys() {
            if let Err(reason) = hv::check(kind, &fill::hv(kind, HvLayers { os: Some(os), ..layers }).0) {
                found.push(error(format!("hypervisor {kind} parameters syntax check (source os {os}): {reason}")));
            }
        }
    }
    for instance in config.instances() {
        let kind = crate::rule::spec::hypervisor(instance);
        if let Err(reason) = hv::check(kind, &crate::rule::spec::hv(config, instance).0) {
            found.push(error(format!("hypervisor {kind} parameters syntax check (source instance {}): {reason}", instance.name)));
        }
    }
    found
}

fn dangling(config: &Config) -> Vec<Finding> {
    let nodes = config.nodes().filter(|node| config.group(&node.group).is_none());
    let mut found: Vec<Finding> = nodes
        .map(|node| {
            let text = "the following nodes (and their instances) belong to a non existing group";
            Finding::error(VerifyCode::ClusterDanglingNodes, node.name.to_string(), text)
        })
        .collect();
    let instances = config.instances().filter(|instance| config.node(&instance.primary_node).is_none());
    found.extend(instances.map(|instance| {
        let text = "the following instances have a non-existing primary-node";
        Finding::error(VerifyCode::ClusterDanglingInst, instance.name.to_string(), text)
    }));
    found
}

#[cfg(test)]
mod tests {
    use gannet_core::config::{Instance, Node, Object};

    use super::*;
    use crate::rule::sample;

    #[test]
    fn a_good_configuration_has_no_findings() {
        let config = sample::config();
        assert_eq!(consistency(&config), []);
        assert_eq!(dangling(&config), []);
        assert_eq!(hypervisors(&config), []);
    }

    #[test]
    fn contradictions_are_found() {
        let mut config = sample::config();
        let twin = Instance { name: "web2.example.com".parse().expect("a name"), disks: Vec::new(), ..sample::instance(2, 9) };
        config.put(Object::Instance(std::sync::Arc::new(Instance { nics: sample::instance(1, 1).nics, ..twin })));
        config.put(Object::Node(std::sync::Arc::new(Node {
            drained: true,
            group: gannet_core::id::GroupUuid::random(),
            ..sample::node(3)
        })));
        let texts: Vec<String> = consistency(&config).into_iter().map(|finding| finding.text).collect();
        assert!(texts.iter().any(|text| text.contains("MAC address")), "{texts:?}");
        assert!(texts.iter().any(|text| text.contains("state is invalid")), "{texts:?}");
        assert_eq!(dangling(&config).len(), 2);
        assert!(expiry("x", -1.0).is_some_and(|finding| !finding.is_warning));
        assert!(expiry("x", 20.0).is_some_and(|finding| finding.is_warning));
        assert!(expiry("x", 100.0).is_none());
    }
}

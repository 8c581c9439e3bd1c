//! Inheritance: what counts for an object when its own values are few.
//!
//! Every function takes the layers from the outermost to the innermost one; the innermost value wins. A value is
//! inherited by not being there, see [`super::Change::Inherit`].

use std::collections::BTreeMap;
use std::ops::Deref;

use serde::Serialize;

use super::be::{self, BeParams};
use super::disk::{self, DiskParams};
use super::hv::{self, HvParams};
use super::ipolicy::{IPolicy, PartialIPolicy};
use super::nd::{self, NdParams};
use super::nic::{self, NicParams};
use super::{DiskTemplate, HypervisorKind, defaults};
use crate::config::ParamMap;

/// Parameters after inheritance: every one has a value. Only the functions of this module make one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Filled<T>(T);

impl<T> Filled<T> {
    /// The filled values.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Filled<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Lays the layers over each other; later ones win.
#[must_use]
pub fn overlay<'a>(layers: impl IntoIterator<Item = &'a ParamMap>) -> ParamMap {
    let mut filled = ParamMap::new();
    for layer in layers {
        filled.extend(layer.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    filled
}

/// Where the values of hypervisor parameters come from.
#[derive(Debug, Clone, Copy)]
pub struct HvLayers<'a> {
    /// `hvparams` of the cluster, per hypervisor.
    pub cluster: &'a BTreeMap<String, ParamMap>,
    /// `os_hvp` of the cluster, per OS and hypervisor.
    pub os_hvp: &'a BTreeMap<String, BTreeMap<String, ParamMap>>,
    /// OS of the instance, when there is an instance.
    pub os: Option<&'a str>,
    /// The instance's own values; empty for the values an instance would inherit.
    pub instance: &'a ParamMap,
}

/// Hypervisor parameters: built-in default, cluster, OS, instance. Cluster-only parameters of the instance do not count.
#[must_use]
pub fn hv(kind: HypervisorKind, layers: HvLayers<'_>) -> Filled<HvParams> {
    let name = kind.as_str();
    let of_os = layers.os.and_then(|os| layers.os_hvp.get(os)).and_then(|of_os| of_os.get(name));
    let own: ParamMap = layers
        .instance
        .iter()
        .filter(|(name, _)| !hv::CLUSTER_ONLY.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let outer = [Some(&hv::defaults(kind)), layers.cluster.get(name), of_os];
    Filled(HvParams(overlay(outer.into_iter().flatten().chain([&own]))))
}

/// Backend parameters: built-in default, cluster (`beparams["default"]`), instance.
#[must_use]
pub fn be(cluster: &BTreeMap<String, ParamMap>, instance: &ParamMap) -> Filled<BeParams> {
    let mut filled = defaults(be::TABLE);
    for layer in cluster.get("default").into_iter().chain([instance]) {
        let mut layer = layer.clone();
        be::expand_memory(&mut layer);
        filled.extend(layer);
    }
    Filled(BeParams(filled))
}

/// NIC parameters: built-in default, cluster (`nicparams["default"]`), the network's connection to the group, NIC.
#[must_use]
pub fn nic(cluster: &BTreeMap<String, ParamMap>, network: Option<&ParamMap>, own: &ParamMap) -> Filled<NicParams> {
    let outer = [Some(&defaults(nic::TABLE)), cluster.get("default"), network];
    Filled(NicParams(overlay(outer.into_iter().flatten().chain([own]))))
}

/// Node parameters: built-in default, cluster, group, node.
#[must_use]
pub fn nd(cluster: &ParamMap, group: &ParamMap, node: &ParamMap) -> Filled<NdParams> {
    Filled(NdParams(overlay([&defaults(nd::TABLE), cluster, group, node])))
}

/// Parameters of disks of a template: built-in default, cluster, group, disk.
#[must_use]
pub fn disk(
    template: DiskTemplate,
    cluster: &BTreeMap<String, ParamMap>,
    group: &BTreeMap<String, ParamMap>,
    own: &ParamMap,
) -> Filled<DiskParams> {
    let name = template.as_str();
    let outer = [Some(&defaults(disk::table(template))), cluster.get(name), group.get(name)];
    Filled(DiskParams(overlay(outer.into_iter().flatten().chain([own]))))
}

/// Instance policy: built-in default, cluster, group. A key is inherited whole, but for `std`, whose numbers are.
#[must_use]
pub fn ipolicy(cluster: &PartialIPolicy, group: &PartialIPolicy) -> Filled<IPolicy> {
    Filled(IPolicy::default().overlaid(cluster).overlaid(group))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::{Change, changed};
    use super::*;

    fn layer() -> impl Strategy<Value = ParamMap> {
        let names = proptest::sample::select(vec!["ssh_port", "spindle_count", "ovs", "oob_program"]);
        proptest::collection::btree_map(names.prop_map(str::to_owned), (0..100_i64).prop_map(Value::from), 0..4)
    }

    proptest! {
        #[test]
        fn the_innermost_value_wins(cluster in layer(), group in layer(), node in layer()) {
            let filled = nd(&cluster, &group, &node);
            for param in nd::TABLE {
                let default = param.default.to_json();
                let expected = [&node, &group, &cluster].into_iter().find_map(|layer| layer.get(param.name)).unwrap_or(&default);
                prop_assert_eq!(&filled.0.0[param.name], expected);
            }
        }

        #[test]
        fn filling_what_is_filled_changes_nothing(cluster in layer(), group in layer(), node in layer()) {
            let filled = nd(&cluster, &group, &node);
            prop_assert_eq!(&nd(&cluster, &group, &filled.0.0), &filled);
            prop_assert_eq!(&nd(&filled.0.0, &ParamMap::new(), &ParamMap::new()), &filled);
        }

        #[test]
        fn inherit_gives_the_outer_value_back(cluster in layer(), group in layer(), node in layer()) {
            let inherit = node.keys().map(|name| (name.clone(), Change::Inherit)).collect();
            let emptied = changed(&node, &inherit);
            prop_assert_eq!(nd(&cluster, &group, &emptied), nd(&cluster, &group, &ParamMap::new()));
        }
    }

    fn map(value: Value) -> ParamMap {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn hypervisor_parameters_come_from_four_layers() {
        let cluster = BTreeMap::from([("kvm".to_owned(), map(json!({"acpi": false, "vga": "std", "migration_port": 9000})))]);
        let os_hvp =
            BTreeMap::from([("debian".to_owned(), BTreeMap::from([("kvm".to_owned(), map(json!({"vga": "qxl", "keymap": "de"})))]))]);
        let instance = map(json!({"keymap": "fr", "migration_port": 1}));
        let layers = HvLayers { cluster: &cluster, os_hvp: &os_hvp, os: Some("debian"), instance: &instance };
        let filled = hv(HypervisorKind::Kvm, layers);
        assert_eq!(filled.text("keymap"), "fr");
        assert_eq!(filled.text("vga"), "qxl");
        assert!(!filled.bool("acpi"));
        assert_eq!(filled.text("boot_order"), "disk");
        assert_eq!(filled.int("migration_port"), 9000);
    }

    #[test]
    fn memory_is_both_limits() {
        let cluster = BTreeMap::from([("default".to_owned(), map(json!({"vcpus": 2, "minmem": 64})))]);
        let filled = be(&cluster, &map(json!({"memory": 512})));
        assert_eq!((filled.minmem().0, filled.maxmem().0, filled.vcpus()), (512, 512, 2));
        assert!(filled.auto_balance() && !filled.0.0.contains_key("memory"));
    }

    #[test]
    fn a_nic_takes_mode_and_link_from_its_network() {
        let cluster = BTreeMap::from([("default".to_owned(), map(json!({"link": "br0"})))]);
        let network = map(json!({"mode": "routed", "link": "100"}));
        let filled = nic(&cluster, Some(&network), &ParamMap::new());
        assert_eq!((filled.mode(), filled.link(), filled.vlan()), (Some(super::super::NicMode::Routed), "100", ""));
        assert_eq!(nic(&cluster, None, &ParamMap::new()).link(), "br0");
    }
}

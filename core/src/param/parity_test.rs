//! Compares the tables with the reference data in `qa/parity`, in both directions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::hv::{self, Check, HvParam};
use super::ipolicy::{IPolicy, PartialIPolicy};
use super::{DiskTemplate, HypervisorKind, Kind, Param, ParamDefault, be, disk, nd, nic};
use crate::config::ParamMap;

fn reference(file: &str) -> Value {
    let path = format!("{}/../qa/parity/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "bool",
        Kind::Int => "int",
        Kind::Float => "float",
        Kind::Size => "size",
        Kind::Text => "string",
        Kind::MaybeText => "maybe-string",
    }
}

#[track_caller]
fn check(table: &[Param], expected: &Value, what: &str) {
    let facts = |kind: &str, default: &Value| json!([kind, default]);
    let found: BTreeMap<&str, Value> = table.iter().map(|param| (param.name, facts(kind(param.kind), &param.default.to_json()))).collect();
    let expected = expected.as_object().unwrap().iter().filter(|(_, param)| param.get("alias").is_none());
    let expected: BTreeMap<&str, Value> =
        expected.map(|(name, param)| (name.as_str(), facts(param["type"].as_str().unwrap(), &param["default"]))).collect();
    assert_eq!(found, expected, "{what}");
}

#[test]
fn same_parameters() {
    let params = reference("params");
    check(be::TABLE, &params["beparams"], "beparams");
    check(nic::TABLE, &params["nicparams"], "nicparams");
    check(nd::TABLE, &params["ndparams"], "ndparams");
    for template in DiskTemplate::ALL {
        check(disk::table(*template), &params["diskparams"][template.as_str()]["params"], template.as_str());
    }
    assert_eq!(json!(disk::DRBD_BARRIERS), params["drbd_barriers"]["valid"]);
}

#[test]
fn same_disk_template_facts() {
    let templates = reference("params")["diskparams"].as_object().unwrap().clone();
    assert_eq!(templates.keys().collect::<Vec<_>>(), DiskTemplate::ALL.iter().map(|t| t.as_str()).collect::<Vec<_>>());
    for template in DiskTemplate::ALL {
        let facts = &templates[template.as_str()];
        let has = |set: &str| facts["sets"].as_array().unwrap().contains(&json!(set));
        assert_eq!(template.is_int_mirrored(), has("int_mirror"), "{template}");
        assert_eq!(template.is_ext_mirrored(), has("ext_mirror"), "{template}");
        assert_eq!(template.is_mirrored(), has("mirrored"), "{template}");
        assert_eq!(template.is_file_based(), has("filebased"), "{template}");
        assert_eq!(template.is_lvm(), has("lvm"), "{template}");
        assert_eq!(template.is_growable(), has("growable"), "{template}");
        assert_eq!(template.is_copyable(), has("copyable"), "{template}");
        assert_eq!(template.may_adopt(), has("may_adopt"), "{template}");
        assert_eq!(template.must_adopt(), has("must_adopt"), "{template}");
        assert_eq!(template.skips_free_space_check(), has("no_free_space_check"), "{template}");
        assert_eq!(template.allows_exclusive_storage(), has("excl_storage"), "{template}");
        assert_eq!(template.is_snapshot_capable(), has("snapshot_capable"), "{template}");
        assert_eq!(template.storage_type().as_str(), facts["storage_type"].as_str().unwrap(), "{template}");
    }
}

#[test]
fn same_hypervisor_parameters() {
    let reference = reference("hvparams");
    assert_eq!(json!(HypervisorKind::ALL), reference["hypervisor_types"]);
    assert_eq!(json!(hv::CLUSTER_ONLY), reference["cluster_only_params"]);
    for hypervisor in HypervisorKind::ALL {
        let expected = &reference["hypervisors"][hypervisor.as_str()];
        let table = hv::table(*hypervisor);
        let plain: Vec<Param> = table.iter().map(|param| param.param).collect();
        check(&plain, &expected["params"], hypervisor.as_str());
        assert_eq!(json!(hv::can_migrate(*hypervisor)), expected["can_migrate"], "{hypervisor}");
        for param in table {
            same_checks(param, &expected["params"][param.param.name], *hypervisor);
        }
    }
}

#[track_caller]
fn same_checks(param: &HvParam, expected: &Value, hypervisor: HypervisorKind) {
    let name = format!("{hypervisor}/{}", param.param.name);
    assert!(is_consistent(&param.param), "{name}");
    assert_eq!(json!(param.required), expected["required"], "{name}");
    assert_eq!(json!(param.cluster_only()), expected["cluster_only"], "{name}");
    assert_eq!(param.on_node.is_some(), expected.get("node_check").is_some(), "{name}");
    let allowed = match param.check {
        Check::OneOf(words) => Some(json!(words)),
        Check::MigrationMode => Some(json!(["live", "non-live"])),
        _ if param.param.name == "serial_speed" => Some(json!(hv::SERIAL_SPEEDS)),
        _ => None,
    };
    assert_eq!(allowed.as_ref(), expected.get("allowed"), "{name}");
    let single_value = expected["value"] == "single value (one device)";
    let value_rule = expected.get("value").is_some() && !single_value;
    assert_eq!(!matches!(param.check, Check::Any | Check::OneOf(_) | Check::MigrationMode), value_rule, "{name}");
}

#[test]
fn same_policy() {
    let reference = reference("params")["ipolicy"].clone();
    assert_eq!(json!(IPolicy::default()), reference["defaults"]);
    assert_eq!(json!(super::ipolicy::Spec::NAMES), reference["spec_keys"]);
    assert_eq!(IPolicy::default().check(), Ok(()));
}

#[test]
fn the_example_configuration_is_accepted() {
    let cluster = reference("examples/config.data")["cluster"].clone();
    for (name, values) in cluster["hvparams"].as_object().unwrap() {
        let kind: HypervisorKind = name.parse().unwrap();
        let values: ParamMap = serde_json::from_value(values.clone()).unwrap();
        assert_eq!(hv::check(kind, &values).map_err(|error| error.to_string()), Ok(()), "{name}");
        assert_eq!(hv::check_names_and_types(&values).as_ref(), Ok(&values), "{name}");
    }
    let policy: PartialIPolicy = serde_json::from_value(cluster["ipolicy"].clone()).unwrap();
    let filled = super::fill::ipolicy(&policy, &PartialIPolicy::default());
    assert_eq!(json!(filled), cluster["ipolicy"]);
}

#[track_caller]
fn kvm(changes: Value, expected: &str) {
    let mut values = hv::defaults(HypervisorKind::Kvm);
    values.extend(serde_json::from_value::<ParamMap>(changes).unwrap());
    let found = hv::check(HypervisorKind::Kvm, &values).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(found, expected);
}

#[test]
fn what_kvm_refuses() {
    kvm(json!({}), "");
    kvm(json!({"xen": 1}), "Parameter 'xen' is not supported");
    kvm(json!({"kvm_path": ""}), "Parameter 'kvm_path' is required but is currently not defined");
    kvm(
        json!({"kvm_path": "/usr/../kvm"}),
        "Parameter 'kvm_path' fails syntax check: must be an absolute normalized path (current value: '/usr/../kvm')",
    );
    kvm(
        json!({"disk_cache": "always"}),
        "Parameter 'disk_cache' fails syntax check: The value must be one of: default, none, writeback, writethrough (current value: \
         'always')",
    );
    kvm(json!({"virtio_net_queues": 9}), "Parameter 'virtio_net_queues' fails syntax check: invalid number of queues (current value: '9')");
    kvm(json!({"cdrom_image_path": "http://example.com/a.iso"}), "");
    kvm(json!({"boot_order": "cdrom"}), "Cannot boot from cdrom without an ISO path");
    kvm(json!({"root_path": null}), "Need a root partition for the instance, if a kernel is defined");
    kvm(json!({"security_model": "user"}), "A security domain (user to run kvm as) must be specified");
    kvm(json!({"security_domain": "x"}), "Cannot have a security domain when the security model is 'none' or 'pool'");
    kvm(json!({"serial_speed": 1, "serial_console": false}), "");
    kvm(json!({"vnc_x509_verify": true}), "vnc_x509_path must be defined, if vnc_x509_verify is");
    kvm(json!({"spice_use_tls": true}), "SPICE: spice_use_tls requires spice_bind to be set");
    kvm(json!({"spice_bind": "::1", "spice_ip_version": 4}), "SPICE: Got an IPv6 address (::1), but the specified IP version is 4");
    kvm(json!({"disk_aio": "native", "disk_cache": "none"}), "");
    kvm(json!({"disk_aio": "native"}), "When 'disk_aio' is set to 'native', the only supported value for 'disk_cache' is 'none'.");
}

#[test]
fn instances_cannot_set_what_the_cluster_sets() {
    let names = ["acpi".to_owned(), "migration_port".to_owned()];
    assert!(hv::check_not_cluster_only(&names).unwrap_err().to_string().ends_with("at cluster level: migration_port"));
    assert_eq!(hv::check_not_cluster_only(&names[..1]), Ok(()));
}

/// Whether the default of a parameter is of its kind.
fn is_consistent(param: &Param) -> bool {
    matches!(
        (param.kind, param.default),
        (Kind::Bool, ParamDefault::Bool(_))
            | (Kind::Int | Kind::Size, ParamDefault::Int(_))
            | (Kind::Float, ParamDefault::Float(_))
            | (Kind::Text | Kind::MaybeText, ParamDefault::Text(_))
    )
}

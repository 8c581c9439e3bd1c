//! Parameters: each that Ganeti has, and whether it has an effect here.
//!
//! That all of them are known, typed and inherited as in Ganeti is tested in `gannet_core::param`. What kvm refuses is read from
//! the node agent's table. The rest is a judgement about the code that reads them, written by hand.

use gannet_core::param::{be, nd, nic};
use serde_json::Value;

use super::{Table, keys};

const KVM: &str = include_str!("../../../noded/src/hypervisor/kvm/params.rs");
const HVPARAMS: &str = include_str!("../../../qa/parity/hvparams.json");
const PARAMS: &str = include_str!("../../../qa/parity/params.json");

/// Hypervisors and disk templates that the master's settings take (`masterd/src/rule/settings.rs`).
const SETTINGS: &str = include_str!("../../../masterd/src/rule/settings.rs");

/// Stored and inherited, but nothing of this version reads them.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("nd exclusive_storage", "stored; it concerns LVM"),
    ("nd oob_program", "stored; nothing calls it yet"),
    ("nd ovs", "stored; no Open vSwitch is set up on nodes"),
    ("nd ovs_link", "stored; no Open vSwitch is set up on nodes"),
    ("nd ovs_name", "stored; no Open vSwitch is set up on nodes"),
    ("cluster data_collectors", "stored; there is no monitoring daemon yet"),
    ("cluster drbd_usermode_helper", "refused: no DRBD yet"),
    ("cluster gluster_storage_dir", "no Gluster yet"),
    ("cluster hv_state, disk_state", "refused"),
    ("cluster install_image", "stored; there are no helper machines yet"),
    ("cluster instance_communication_network", "refused"),
    ("cluster maintain_node_health", "stored; no watcher runs yet"),
    ("cluster modify_ssh_setup", "stored; Gannet sets up no SSH"),
    ("cluster compression_tools", "stored; there are no exports yet"),
    ("cluster reserved_lvs", "refused: no LVM yet"),
    ("cluster ssh_key_bits", "stored; Gannet sets up no SSH"),
    ("cluster ssh_key_type", "stored; Gannet sets up no SSH"),
    ("cluster uid_pool", "stored; `security_model=pool` is refused"),
    ("cluster volume_group_name", "refused: no LVM yet"),
    ("cluster zeroing_image", "stored; there are no helper machines yet"),
    ("cluster max_tracked_jobs", "stored; it has nothing to limit, because jobs tell of their changes and nobody watches files"),
];

/// Remarks about what works.
const REMARKS: &[(&str, &str)] = &[
    ("nd spindle_count", "counted in placement and policy"),
    ("nd cpu_speed", "weighed in placement"),
    (
        "cluster default_iallocator_params",
        "of hail: no-capacity-checks, accept-existing-errors, ignore-soft-errors, survive, failure-domains",
    ),
    ("nic mode", "bridged, routed and openvswitch; not `pool`"),
    ("cluster master_ip", "set at `gnt-cluster init`"),
    ("cluster cluster_name", "set at `gnt-cluster init`"),
    ("cluster default_iallocator", "only the built-in one"),
    ("cluster enabled_hypervisors", "kvm and fake"),
    ("cluster enabled_disk_templates", "diskless, file, sharedfile"),
    ("be spindle_use", "counted in placement and policy"),
];

/// Adds all tables.
///
/// # Errors
/// A parity file cannot be read.
pub fn add(out: &mut String) -> anyhow::Result<()> {
    let (hypervisors, params): (Value, Value) = (serde_json::from_str(HVPARAMS)?, serde_json::from_str(PARAMS)?);
    for (name, hypervisor) in keys(&hypervisors, "hypervisors") {
        hypervisor_table(name, hypervisor).add_to(out);
    }
    let mut disks = Table::new("Disk templates", "template");
    for (name, template) in keys(&params, "diskparams") {
        let own: Vec<String> = keys(template, "params").map(|(name, _)| format!("`{name}`")).collect();
        let note = if own.is_empty() { "no parameters".to_owned() } else { format!("parameters {}", own.join(", ")) };
        disks.row(format!("`{name}`"), is_enabled("BUILT_TEMPLATES", name), note);
    }
    disks.add_to(out);
    for (kind, title, names) in
        [("be", "Backend parameters", be::TABLE), ("nic", "NIC parameters", nic::TABLE), ("nd", "Node parameters", nd::TABLE)]
    {
        plain(kind, title, names.iter().map(|param| param.name)).add_to(out);
    }
    plain("cluster", "Cluster settings", keys(&params, "cluster_settings").map(|(name, _)| name.as_str())).add_to(out);
    Ok(())
}

fn hypervisor_table(name: &str, hypervisor: &Value) -> Table {
    let mut table = Table::new(format!("Hypervisor {name}"), "parameter");
    let enabled = is_enabled("BUILT_HYPERVISORS", name);
    let fixed = fixed();
    for (param, _) in keys(hypervisor, "params") {
        let instead = fixed.iter().find(|(fixed, _)| name == "kvm" && fixed == param);
        let refused: Vec<&str> =
            refused().into_iter().filter(|(refused, _)| name == "kvm" && refused == param).flat_map(|(_, words)| words).collect();
        match (enabled, instead) {
            (false, _) => table.row(format!("`{param}`"), false, "the hypervisor cannot be enabled yet"),
            (true, Some((_, instead))) => table.row(format!("`{param}`"), false, format!("only the default: {instead}")),
            (true, None) if refused.is_empty() => table.row(format!("`{param}`"), true, ""),
            (true, None) => table.row(format!("`{param}`"), true, format!("not {}", refused.join(", "))),
        }
    }
    table
}

fn plain<'a>(kind: &str, title: &str, names: impl Iterator<Item = &'a str>) -> Table {
    let mut table = Table::new(title, "parameter");
    for name in names {
        let key = format!("{kind} {name}");
        let find = |list: &[(&str, &'static str)]| list.iter().find(|(known, _)| *known == key).map(|(_, text)| *text);
        let missing = find(WITHOUT_EFFECT);
        table.row(format!("`{name}`"), missing.is_none(), missing.or_else(|| find(REMARKS)).unwrap_or_default());
    }
    table
}

/// The lines of a constant in a source text.
fn lines_of<'a>(source: &'a str, constant: &str) -> impl Iterator<Item = &'a str> {
    let begin = source.find(&format!("const {constant}:")).map_or("", |at| &source[at..]);
    begin.split_once(';').map_or("", |(constant, _)| constant).lines()
}

/// Words in double quotes.
fn words(line: &str) -> Vec<&str> {
    line.split('"').skip(1).step_by(2).collect()
}

/// kvm parameters with only one possible value, and what to do instead.
fn fixed() -> Vec<(&'static str, &'static str)> {
    lines_of(KVM, "FIXED").filter_map(|line| if let [name, why] = words(line)[..] { Some((name, why)) } else { None }).collect()
}

/// kvm parameters of which some values are refused, with these values.
fn refused() -> Vec<(&'static str, Vec<&'static str>)> {
    lines_of(KVM, "REFUSED").filter_map(|line| words(line).split_first().map(|(name, words)| (*name, words.to_vec()))).collect()
}

/// Whether a list of variants in the master's settings has this word of the wire (`XenHvm` for `xen-hvm`).
fn is_enabled(constant: &str, word: &str) -> bool {
    let variant: String = word
        .split('-')
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
        })
        .collect();
    let variant = if variant == "Sharedfile" { "SharedFile".to_owned() } else { variant };
    let list = SETTINGS.find(&format!("const {constant}:")).map_or("", |at| &SETTINGS[at..]);
    let list = list.split_once('=').and_then(|(_, rest)| rest.split_once(';')).map_or("", |(list, _)| list);
    list.split(|c: char| !c.is_alphanumeric()).any(|found| found == variant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_other_crates_are_found() {
        assert!(fixed().len() >= 5 && fixed().iter().any(|(name, _)| *name == "use_chroot"), "{:?}", fixed());
        assert!(refused().iter().any(|(name, words)| *name == "disk_type" && words.contains(&"mtd")), "{:?}", refused());
        assert!(is_enabled("BUILT_HYPERVISORS", "kvm") && is_enabled("BUILT_HYPERVISORS", "fake"));
        assert!(is_enabled("BUILT_TEMPLATES", "sharedfile") && is_enabled("BUILT_TEMPLATES", "file"));
    }

    #[test]
    fn every_judgement_is_about_a_parameter() {
        let params: Value = serde_json::from_str(PARAMS).unwrap();
        for (key, _) in WITHOUT_EFFECT.iter().chain(REMARKS) {
            let (kind, name) = key.split_once(' ').unwrap();
            let known = match kind {
                "cluster" => params["cluster_settings"].get(name).is_some(),
                kind => params[format!("{kind}params")].get(name).is_some(),
            };
            assert!(known, "{key}");
        }
    }
}

//! KVM's parameters: what of Ganeti's list is mapped to libvirt, and a clear refusal of what is not. None is ignored.

use std::path::Path;

use gannet_core::config::ParamMap;
use gannet_core::param::HypervisorKind;
use gannet_core::param::hv::{self, HvParams, NodeCheck};
use gannet_proto::node::Instance;
use gannet_proto::params_from_proto;

/// Ganeti's default binary: here it means "the one that libvirt finds", since Debian's `kvm` is a script that insists
/// on hardware virtualisation.
const DEFAULT_BINARY: &str = "/usr/bin/kvm";

/// Parameters that libvirt cannot set per guest, the value that is accepted, and where to set them instead.
const FIXED: &[(&str, &str)] = &[
    ("kvm_pci_reservations", "libvirt assigns PCI slots by itself"),
    ("spice_tls_ciphers", "libvirt has no such setting"),
    ("usb_devices", "use kvm_extra"),
    ("use_chroot", "libvirt confines QEMU by its own means (qemu.conf)"),
    ("vnc_tls", "set vnc_tls in libvirt's qemu.conf"),
    ("vnc_x509_path", "set vnc_tls_x509_cert_dir in libvirt's qemu.conf"),
    ("vnc_x509_verify", "set vnc_tls_x509_verify in libvirt's qemu.conf"),
    ("vnet_hdr", "libvirt always uses it where the kernel has it"),
];

/// Values that are refused, of parameters that are mapped otherwise.
const REFUSED: &[(&str, &[&str])] = &[
    ("disk_type", &["mtd", "pflash", "sd"]),
    ("cdrom_disk_type", &["mtd", "pflash", "sd", "scsi-block", "scsi-generic"]),
    ("security_model", &["pool"]),
];

/// Migration capabilities that are mapped.
const CAPABILITIES: &[&str] = &["auto-converge"];

/// The filled parameters of a guest.
pub(super) fn filled(instance: &Instance) -> HvParams {
    with_defaults(params_from_proto(&instance.hvparams))
}

pub(super) fn with_defaults(given: ParamMap) -> HvParams {
    let mut params = hv::defaults(HypervisorKind::Kvm);
    params.extend(given);
    HvParams(params)
}

/// Everything that is wrong with the values themselves, on any node.
pub(super) fn problems(params: &HvParams) -> Vec<String> {
    let mut problems: Vec<String> = hv::check(HypervisorKind::Kvm, &params.0).err().iter().map(ToString::to_string).collect();
    let defaults = hv::defaults(HypervisorKind::Kvm);
    for (name, instead) in FIXED {
        if params.0.get(*name) != defaults.get(*name) && !(params.text(name).is_empty() && is_text(params, name)) {
            problems.push(unsupported(name, params, instead));
        }
    }
    for (name, words) in REFUSED {
        if words.contains(&params.text(name)) {
            problems.push(unsupported(name, params, "choose another value"));
        }
    }
    for capability in capabilities(params).filter(|capability| !CAPABILITIES.contains(capability)) {
        problems.push(format!("migration_caps={capability} is not supported yet by Gannet; supported: {}", CAPABILITIES.join(", ")));
    }
    if params.text("disk_aio") == "native" && params.text("disk_cache") != "none" {
        problems.push("disk_aio=native requires disk_cache=none".to_owned());
    }
    problems.dedup();
    problems
}

fn is_text(params: &HvParams, name: &str) -> bool {
    params.0.get(name).is_some_and(|value| value.is_string() || value.is_null())
}

fn unsupported(name: &str, params: &HvParams, instead: &str) -> String {
    let value = params.0.get(name).map(ToString::to_string).unwrap_or_default();
    format!("{name}={} is not supported yet by Gannet ({instead})", value.trim_matches('"'))
}

/// What a guest with these parameters needs on this node and does not find.
pub(super) fn missing(params: &HvParams) -> Vec<String> {
    let mut problems = Vec::new();
    for param in hv::table(HypervisorKind::Kvm) {
        let name = param.param.name;
        let value = params.text(name);
        let (Some(check), false) = (param.on_node, value.is_empty()) else { continue };
        let found = match check {
            _ if name == "kvm_path" => value == DEFAULT_BINARY || Path::new(value).is_file(),
            NodeCheck::File => Path::new(value).is_file(),
            NodeCheck::Directory => Path::new(value).is_dir(),
            NodeCheck::FileOrUrl => value.contains("://") || Path::new(value).is_file(),
        };
        if !found {
            problems.push(format!("{name}: {value} does not exist on this node"));
        }
    }
    problems
}

/// The binary to use; `None`: libvirt's choice.
pub(super) fn emulator(params: &HvParams) -> Option<String> {
    Some(params.text("kvm_path")).filter(|path| !path.is_empty() && *path != DEFAULT_BINARY).map(str::to_owned)
}

/// The words of `migration_caps`.
pub(super) fn capabilities(params: &HvParams) -> impl Iterator<Item = &str> {
    params.text("migration_caps").split(':').filter(|word| !word.is_empty())
}

/// Splits `kvm_extra` at spaces; double quotes keep a value together.
pub(super) fn split_extra(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    for c in text.chars() {
        match c {
            '"' => (quoted, begun) = (!quoted, true),
            c if c.is_whitespace() && !quoted => {
                if std::mem::take(&mut begun) {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => {
                word.push(c);
                begun = true;
            }
        }
    }
    if quoted {
        return Err("kvm_extra has a double quote that is not closed".to_owned());
    }
    if begun {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn params(changes: &[(&str, Value)]) -> HvParams {
        with_defaults(changes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    #[test]
    fn the_defaults_are_fine() {
        assert_eq!(problems(&params(&[])), Vec::<String>::new());
    }

    #[track_caller]
    fn refused(name: &str, value: Value, text: &str) {
        let found = problems(&params(&[(name, value)]));
        assert!(found.iter().any(|problem| problem.contains(text)), "{name}: {found:?}");
    }

    #[test]
    fn what_is_not_mapped_is_refused() {
        refused("use_chroot", json!(true), "use_chroot=true is not supported yet by Gannet");
        refused("vnet_hdr", json!(false), "vnet_hdr=false is not supported yet");
        refused("usb_devices", json!("host:1.2"), "usb_devices=host:1.2 is not supported yet");
        refused("kvm_pci_reservations", json!(3), "kvm_pci_reservations=3 is not supported yet");
        refused("disk_type", json!("mtd"), "disk_type=mtd is not supported yet");
        refused("security_model", json!("pool"), "security_model=pool is not supported yet");
        refused("migration_caps", json!("xbzrle"), "migration_caps=xbzrle is not supported yet");
        refused("vnc_tls", json!(true), "qemu.conf");
        refused("disk_aio", json!("native"), "disk_aio=native requires disk_cache=none");
        refused("no_such", json!(1), "Parameter 'no_such' is not supported");
    }

    #[test]
    fn missing_files_are_named() {
        let found = missing(&params(&[("kernel_path", json!("")), ("initrd_path", json!("/nonexistent/initrd"))]));
        assert_eq!(found, ["initrd_path: /nonexistent/initrd does not exist on this node"]);
        let cdrom = params(&[("kernel_path", json!("")), ("cdrom_image_path", json!("http://example.com/cd.iso"))]);
        assert!(missing(&cdrom).is_empty());
    }

    #[test]
    fn extra_arguments_keep_quoted_spaces() {
        assert_eq!(
            split_extra(r#"-a  b -smbios "type=1,serial=a b" """#),
            Ok(["-a", "b", "-smbios", "type=1,serial=a b", ""].map(str::to_owned).into())
        );
        assert!(split_extra("\"x").is_err());
    }
}

//! What must hold between the parameters of KVM.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{HvError, HvParams};
use crate::config::ParamMap;

/// Speeds that a serial console can have.
pub const SERIAL_SPEEDS: &[i64] =
    &[75, 110, 300, 600, 1200, 1800, 2400, 4800, 9600, 14400, 19200, 28800, 38400, 57600, 115_200, 230_400, 345_600, 460_800];

/// Parameters that mean nothing without `spice_bind`.
const NEED_SPICE: &[&str] = &[
    "spice_image_compression",
    "spice_ip_version",
    "spice_jpeg_wan_compression",
    "spice_password_file",
    "spice_streaming_video",
    "spice_use_tls",
    "spice_zlib_glz_wan_compression",
];

/// Checks filled values against each other.
pub(super) fn check(values: &ParamMap) -> Result<(), HvError> {
    let params = HvParams(values.clone());
    match boot(&params).or_else(|| security(&params)).or_else(|| console(&params)).or_else(|| displays(&params)).or_else(|| disks(&params))
    {
        Some(message) => Err(HvError::Contradiction(message)),
        None => Ok(()),
    }
}

fn boot(params: &HvParams) -> Option<String> {
    if params.text("boot_order") == "cdrom" && params.text("cdrom_image_path").is_empty() {
        return Some("Cannot boot from cdrom without an ISO path".to_owned());
    }
    let no_root = !params.text("kernel_path").is_empty() && params.text("root_path").is_empty();
    no_root.then(|| "Need a root partition for the instance, if a kernel is defined".to_owned())
}

fn security(params: &HvParams) -> Option<String> {
    let has_user = !params.text("security_domain").is_empty();
    match params.text("security_model") {
        "user" if !has_user => Some("A security domain (user to run kvm as) must be specified".to_owned()),
        "none" | "pool" if has_user => Some("Cannot have a security domain when the security model is 'none' or 'pool'".to_owned()),
        _ => None,
    }
}

fn console(params: &HvParams) -> Option<String> {
    if !params.bool("serial_console") || SERIAL_SPEEDS.contains(&params.int("serial_speed")) {
        return None;
    }
    let speeds: Vec<String> = SERIAL_SPEEDS.iter().map(i64::to_string).collect();
    Some(format!("Invalid serial console speed, must be one of: {}", speeds.join(", ")))
}

fn displays(params: &HvParams) -> Option<String> {
    if params.bool("vnc_x509_verify") && params.text("vnc_x509_path").is_empty() {
        return Some("vnc_x509_path must be defined, if vnc_x509_verify is".to_owned());
    }
    let spice = params.text("spice_bind");
    if spice.is_empty() {
        let set = |name: &&&str| params.bool(name) || params.int(name) != 0 || !params.text(name).is_empty();
        return NEED_SPICE.iter().find(set).map(|name| format!("SPICE: {name} requires spice_bind to be set"));
    }
    if !params.text("vnc_bind_address").is_empty() {
        return Some("Both SPICE and VNC are configured, but only one of them can be used at a given time".to_owned());
    }
    let version = params.int("spice_ip_version");
    let family = match (spice.parse::<Ipv4Addr>(), spice.parse::<Ipv6Addr>()) {
        (Ok(_), _) => 4,
        (_, Ok(_)) => 6,
        _ => return None,
    };
    (version != 0 && version != family)
        .then(|| format!("SPICE: Got an IPv{family} address ({spice}), but the specified IP version is {version}"))
}

fn disks(params: &HvParams) -> Option<String> {
    let wrong = params.text("disk_aio") == "native" && params.text("disk_cache") != "none";
    wrong.then(|| "When 'disk_aio' is set to 'native', the only supported value for 'disk_cache' is 'none'.".to_owned())
}

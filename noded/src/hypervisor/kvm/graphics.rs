//! VNC and SPICE.

use std::net::IpAddr;
use std::path::Path;

use gannet_core::param::hv::HvParams;
use gannet_libvirt::{Graphics, Listen, Password, Spice};

use crate::hypervisor::Error;

/// The screen of a guest; the cluster gives each instance a port of its own.
pub(super) fn graphics(params: &HvParams, instance: &str, network_port: u32) -> Result<Graphics, Error> {
    let port = u16::try_from(network_port).ok().filter(|port| *port != 0);
    let (vnc, spice) = (params.text("vnc_bind_address"), params.text("spice_bind"));
    if !vnc.is_empty() {
        let port = port.ok_or_else(|| Error::Invalid(format!("instance {instance} has no network port for VNC")));
        let (listen, port) = match vnc.strip_prefix('/') {
            Some(_) => (Listen::Socket(Path::new(vnc).join(format!("{instance}.vnc")).display().to_string()), None),
            None => (Listen::Address(address("vnc_bind_address", vnc, 0)?), Some(port?)),
        };
        return Ok(Graphics::Vnc { listen, port, password: password(params.text("vnc_password_file"))?, keymap: text(params, "keymap") });
    }
    if spice.is_empty() {
        return Ok(Graphics::None);
    }
    let tls = params.bool("spice_use_tls");
    Ok(Graphics::Spice(Spice {
        listen: address("spice_bind", spice, params.int("spice_ip_version"))?,
        port: port.filter(|_| !tls),
        tls_port: port.filter(|_| tls),
        password: password(params.text("spice_password_file"))?,
        keymap: text(params, "keymap"),
        image_compression: text(params, "spice_image_compression"),
        jpeg_wan_compression: text(params, "spice_jpeg_wan_compression"),
        zlib_glz_wan_compression: text(params, "spice_zlib_glz_wan_compression"),
        streaming_video: text(params, "spice_streaming_video"),
        playback_compression: params.bool("spice_playback_compression"),
        agent: params.bool("spice_use_vdagent"),
    }))
}

/// The video card's model in libvirt's words; one is needed only with a screen.
pub(super) fn video(params: &HvParams, graphics: &Graphics) -> Option<String> {
    let model = match (params.text("vga"), graphics) {
        ("", Graphics::None) | ("none", _) => return None,
        ("", Graphics::Vnc { .. }) | ("std", _) => "vga",
        ("", Graphics::Spice(_)) => "qxl",
        ("vmware", _) => "vmvga",
        (other, _) => other,
    };
    Some(model.to_owned())
}

/// Whether a display is bound to a network interface of this very node, which a migration would carry along wrongly.
pub(super) fn bound_to_interface(params: &HvParams) -> Option<&'static str> {
    ["vnc_bind_address", "spice_bind"].into_iter().find(|name| {
        let value = params.text(name);
        !value.is_empty() && !value.starts_with('/') && value.parse::<IpAddr>().is_err()
    })
}

fn text(params: &HvParams, name: &str) -> Option<String> {
    Some(params.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An address as it is, or the first one of a network interface (of the wanted IP version, if any).
fn address(name: &str, value: &str, version: i64) -> Result<String, Error> {
    if value.parse::<IpAddr>().is_ok() {
        return Ok(value.to_owned());
    }
    let interfaces = nix::ifaddrs::getifaddrs().map_err(|error| Error::Failed(format!("cannot list network interfaces: {error}")))?;
    let addresses = interfaces.filter(|interface| interface.interface_name == value).filter_map(|interface| {
        let storage = interface.address?;
        let four = storage.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
        four.or_else(|| storage.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
    });
    let wanted = |address: &IpAddr| version == 0 || address.is_ipv4() == (version == 4);
    let found = addresses.into_iter().find(wanted);
    found
        .map(|address| address.to_string())
        .ok_or_else(|| Error::Missing(format!("{name}: {value} is no address, and no interface of this node with one")))
}

/// The first line of a password file; an empty path is no password.
fn password(path: &str) -> Result<Option<Password>, Error> {
    if path.is_empty() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(|error| Error::Missing(format!("cannot read the password file {path}: {error}")))?;
    Ok(Some(Password(text.lines().next().unwrap_or_default().to_owned())))
}

#[cfg(test)]
mod tests {
    use super::super::params::with_defaults;
    use super::*;

    fn params(changes: &[(&str, &str)]) -> HvParams {
        with_defaults(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect())
    }

    #[test]
    fn vnc_by_address_interface_or_socket() {
        let made = graphics(&params(&[("vnc_bind_address", "lo")]), "web1", 11001).expect("lo has an address");
        let Graphics::Vnc { listen: Listen::Address(address), port, .. } = made else { panic!("an address") };
        assert!(address.parse::<IpAddr>().expect("an IP").is_loopback());
        assert_eq!(port, Some(11001));
        let made = graphics(&params(&[("vnc_bind_address", "/run/vnc")]), "web1", 0).expect("a socket needs no port");
        assert!(matches!(made, Graphics::Vnc { listen: Listen::Socket(path), port: None, .. } if path == "/run/vnc/web1.vnc"));
        assert!(graphics(&params(&[("vnc_bind_address", "0.0.0.0")]), "web1", 0).is_err());
        assert!(graphics(&params(&[("vnc_bind_address", "nosuchdev0")]), "web1", 11001).is_err());
    }

    #[test]
    fn video_cards() {
        let none = graphics(&params(&[]), "web1", 0).expect("none");
        assert_eq!((video(&params(&[]), &none), none), (None, Graphics::None));
        let vnc = params(&[("vnc_bind_address", "127.0.0.1"), ("vga", "vmware")]);
        let made = graphics(&vnc, "web1", 11001).expect("vnc");
        assert_eq!(video(&vnc, &made).as_deref(), Some("vmvga"));
        assert_eq!(bound_to_interface(&vnc), None);
        assert_eq!(bound_to_interface(&params(&[("spice_bind", "eth0")])), Some("spice_bind"));
    }
}

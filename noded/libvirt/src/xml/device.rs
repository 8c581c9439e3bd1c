//! Devices: disks, NICs, serial port, screen, input.

use super::element::{Element, element};
use crate::{Bus, Disk, DiskDevice, DomainSpec, Error, Graphics, Link, Listen, Nic, Pointer, Serial, Source, Spice};

/// Linux: IFNAMSIZ less the final NUL.
const IFNAME_MAX: usize = 15;

pub(super) fn devices(spec: &DomainSpec) -> Result<Element, Error> {
    let mut devices = element("devices");
    if let Some(emulator) = &spec.emulator {
        devices = devices.child(element("emulator").text(emulator));
    }
    for disk in &spec.disks {
        devices = devices.child(self::disk(disk)?);
    }
    devices = devices.children(controllers(spec));
    for nic in &spec.nics {
        devices = devices.child(self::nic(nic)?);
    }
    if let Some(serial) = &spec.serial {
        devices = devices.children(self::serial(serial));
    }
    devices = devices.children(channels(spec));
    if let Some(pointer) = spec.pointer {
        let kind = match pointer {
            Pointer::Tablet => "tablet",
            Pointer::Mouse => "mouse",
        };
        devices = devices.child(element("input").attr("type", kind).attr("bus", "usb"));
    }
    devices = devices.children(graphics(&spec.graphics));
    for model in &spec.sound {
        devices = devices.child(element("sound").attr("model", model));
    }
    let model = spec.video.as_deref().unwrap_or("none");
    devices = devices.child(element("video").child(element("model").attr("type", model)));
    Ok(devices.child(balloon(spec)))
}

fn controllers(spec: &DomainSpec) -> Vec<Element> {
    let mut controllers = Vec::new();
    let usb = spec.usb || spec.pointer.is_some() || spec.disks.iter().any(|disk| disk.bus == Bus::Usb);
    // without this libvirt adds a USB controller to every guest
    let usb = element("controller").attr("type", "usb").maybe("model", (!usb).then_some("none"));
    controllers.push(usb);
    if spec.disks.iter().any(|disk| disk.bus == Bus::Scsi) {
        let model = spec.scsi_controller.as_deref().unwrap_or("virtio-scsi");
        controllers.push(element("controller").attr("type", "scsi").attr("index", 0).attr("model", model));
    }
    controllers
}

pub(super) fn disk(disk: &Disk) -> Result<Element, Error> {
    check_alias(disk.alias.as_deref())?;
    let (device, removable) = match disk.device {
        DiskDevice::Disk => ("disk", false),
        DiskDevice::Cdrom => ("cdrom", true),
        DiskDevice::Floppy => ("floppy", true),
        DiskDevice::Lun => ("lun", false),
    };
    let (kind, source) = match &disk.source {
        Source::File(path) => ("file", Some(element("source").attr("file", path))),
        Source::Block(path) => ("block", Some(element("source").attr("dev", path))),
        Source::Network { protocol, name, hosts } => {
            let hosts = hosts.iter().map(|(host, port)| element("host").attr("name", host).maybe("port", *port));
            let source = element("source").attr("protocol", protocol).attr("name", name);
            ("network", Some(source.children(hosts)))
        }
        Source::Empty if removable => ("file", None),
        Source::Empty => return Err(Error::invalid(format!("disk {}", disk.target), "it has no source")),
    };
    let driver = element("driver")
        .attr("name", "qemu")
        .attr("type", &disk.format)
        .maybe("cache", disk.cache.as_ref())
        .maybe("io", disk.aio.as_ref())
        .maybe("discard", disk.discard.as_ref());
    let target = element("target").attr("dev", &disk.target).attr("bus", disk.bus.as_str());
    Ok(element("disk")
        .attr("type", kind)
        .attr("device", device)
        .child(driver)
        .children(source)
        .child(target)
        .children(disk.readonly.then(|| element("readonly")))
        .children(disk.shareable.then(|| element("shareable")))
        .children(disk.serial.as_ref().map(|serial| element("serial").text(serial)))
        .children(alias(disk.alias.as_deref())))
}

pub(super) fn nic(nic: &Nic) -> Result<Element, Error> {
    check_alias(nic.alias.as_deref())?;
    if nic.ifname.as_ref().is_some_and(|name| name.is_empty() || name.len() > IFNAME_MAX) {
        let what = format!("interface name {:?}", nic.ifname.as_deref().unwrap_or_default());
        return Err(Error::invalid(what, format!("it must have 1 to {IFNAME_MAX} characters")));
    }
    let mut target = element("target").maybe("dev", nic.ifname.as_ref());
    let (kind, source) = match &nic.link {
        Link::Bridge(bridge) | Link::OpenVswitch(bridge) => ("bridge", Some(element("source").attr("bridge", bridge))),
        Link::Tap { create } => {
            if !create {
                if nic.ifname.is_none() {
                    return Err(Error::invalid(format!("NIC {}", nic.mac), "an existing tap device needs its name"));
                }
                target = target.attr("managed", "no");
            }
            ("ethernet", None)
        }
    };
    let ovs = matches!(nic.link, Link::OpenVswitch(_)).then(|| element("virtualport").attr("type", "openvswitch"));
    let queues = (nic.queues > 1).then_some(nic.queues);
    // said only for virtio: other models have no back end to choose
    let driver =
        (nic.model == "virtio").then(|| element("driver").attr("name", if nic.vhost { "vhost" } else { "qemu" }).maybe("queues", queues));
    Ok(element("interface")
        .attr("type", kind)
        .child(element("mac").attr("address", &nic.mac))
        .children(source)
        .children(vlan(nic))
        .children(ovs)
        .children(nic.ifname.is_some().then_some(target))
        .child(element("model").attr("type", &nic.model))
        .children(driver)
        .children(nic.mtu.map(|mtu| element("mtu").attr("size", mtu)))
        .children(alias(nic.alias.as_deref())))
}

fn vlan(nic: &Nic) -> Option<Element> {
    let (untagged, tagged) = (nic.vlan.untagged, &nic.vlan.tagged);
    if tagged.is_empty() {
        return untagged.map(|id| element("vlan").child(element("tag").attr("id", id)));
    }
    let native = untagged.map(|id| element("tag").attr("id", id).attr("nativeMode", "untagged"));
    Some(element("vlan").attr("trunk", "yes").children(native).children(tagged.iter().map(|id| element("tag").attr("id", id))))
}

fn serial(serial: &Serial) -> [Element; 2] {
    let log = serial.log.as_ref().map(|path| element("log").attr("file", path).attr("append", "on"));
    [
        element("serial").attr("type", "pty").children(log).child(element("target").attr("port", 0)),
        element("console").attr("type", "pty").child(element("target").attr("type", "serial").attr("port", 0)),
    ]
}

fn channels(spec: &DomainSpec) -> Vec<Element> {
    let channel = |kind, name| {
        let target = element("target").attr("type", "virtio").attr("name", name);
        element("channel").attr("type", kind).child(target)
    };
    let mut channels = Vec::new();
    if spec.guest_agent {
        channels.push(channel("unix", "org.qemu.guest_agent.0"));
    }
    if matches!(&spec.graphics, Graphics::Spice(spice) if spice.agent) {
        channels.push(channel("spicevmc", "com.redhat.spice.0"));
    }
    channels
}

fn graphics(graphics: &Graphics) -> Option<Element> {
    match graphics {
        Graphics::None => None,
        Graphics::Vnc { listen, port, password, keymap } => {
            let vnc = element("graphics").attr("type", "vnc");
            let vnc = match (listen, port) {
                (Listen::Socket(_), _) => vnc,
                (Listen::Address(_), Some(port)) => vnc.attr("port", port).attr("autoport", "no"),
                (Listen::Address(_), None) => vnc.attr("autoport", "yes"),
            };
            let vnc = vnc.maybe("passwd", password.as_ref().map(|password| password.0.as_str())).maybe("keymap", keymap.as_ref());
            Some(vnc.child(match listen {
                Listen::Address(address) => element("listen").attr("type", "address").attr("address", address),
                Listen::Socket(path) => element("listen").attr("type", "socket").attr("socket", path),
            }))
        }
        Graphics::Spice(spice) => Some(self::spice(spice)),
    }
}

fn spice(spice: &Spice) -> Element {
    let option = |name, attribute, value: &Option<String>| value.as_ref().map(|value| element(name).attr(attribute, value));
    let auto = spice.port.is_none() && spice.tls_port.is_none();
    element("graphics")
        .attr("type", "spice")
        .maybe("port", spice.port)
        .maybe("tlsPort", spice.tls_port)
        .attr("autoport", if auto { "yes" } else { "no" })
        .maybe("passwd", spice.password.as_ref().map(|password| password.0.as_str()))
        .maybe("keymap", spice.keymap.as_ref())
        .child(element("listen").attr("type", "address").attr("address", &spice.listen))
        .children(option("image", "compression", &spice.image_compression))
        .children(option("jpeg", "compression", &spice.jpeg_wan_compression))
        .children(option("zlib", "compression", &spice.zlib_glz_wan_compression))
        .child(element("playback").attr("compression", if spice.playback_compression { "on" } else { "off" }))
        .children(option("streaming", "mode", &spice.streaming_video))
}

fn balloon(spec: &DomainSpec) -> Element {
    match spec.balloon_stats_s {
        None => element("memballoon").attr("model", "none"),
        Some(period) => element("memballoon").attr("model", "virtio").child(element("stats").attr("period", period)),
    }
}

fn alias(alias: Option<&str>) -> Option<Element> {
    alias.map(|alias| element("alias").attr("name", alias))
}

/// libvirt ignores names without this prefix, and the device could not be found again.
fn check_alias(alias: Option<&str>) -> Result<(), Error> {
    let fine = |alias: &str| alias.starts_with("ua-") && alias.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    match alias {
        Some(alias) if !fine(alias) => {
            Err(Error::invalid(format!("device alias {alias:?}"), "it must begin with ua- and have only letters, digits, - and _"))
        }
        _ => Ok(()),
    }
}

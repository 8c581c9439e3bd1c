//! Disks, CD-ROMs and NICs of a guest in libvirt's terms.

use gannet_core::param::hv::HvParams;
use gannet_libvirt::{Bus, Disk, DiskDevice, Link, Nic, Source, Vlan};
use gannet_proto::node::{self, DiskRef};

use crate::hypervisor::{Device, Error};
use crate::net::device_name;

/// Templates whose disks two nodes see at once: never cached on a node, or a migration would lose writes (as Ganeti).
const SHARED: &[&str] = &["sharedfile", "gluster", "blockdev", "rbd", "ext"];

/// The alias under which a disk is unplugged.
pub(super) fn disk_alias(disk: &DiskRef) -> String {
    format!("ua-disk-{}", disk.uuid)
}

/// The alias under which a NIC is unplugged.
pub(super) fn nic_alias(nic: &node::Nic) -> String {
    format!("ua-nic-{}", nic.uuid)
}

/// A disk at the `index`-th place of its bus.
pub(super) fn disk(params: &HvParams, device: &Device, index: usize) -> Result<Disk, Error> {
    let (bus, kind) = match params.text("disk_type") {
        "ide" => (Bus::Ide, DiskDevice::Disk),
        "scsi" | "scsi-hd" => (Bus::Scsi, DiskDevice::Disk),
        "scsi-block" | "scsi-generic" => (Bus::Scsi, DiskDevice::Lun),
        "scsi-cd" => (Bus::Scsi, DiskDevice::Cdrom),
        "paravirtual" => (Bus::Virtio, DiskDevice::Disk),
        other => return Err(Error::Unsupported(format!("disk_type={other} is not supported yet by Gannet"))),
    };
    let format = if device.disk.format.is_empty() { "raw" } else { &device.disk.format };
    let mut disk = Disk::new(source(device)?, format, bus, index);
    disk.device = kind;
    disk.readonly = device.disk.mode == "ro" || kind == DiskDevice::Cdrom;
    disk.cache = match params.text("disk_cache") {
        _ if SHARED.contains(&device.disk.dev_type.as_str()) => Some("none".to_owned()),
        "default" | "" => None,
        cache => Some(cache.to_owned()),
    };
    disk.aio = Some(params.text("disk_aio")).filter(|aio| !aio.is_empty()).map(str::to_owned);
    disk.discard = Some(params.text("disk_discard")).filter(|discard| !discard.is_empty()).map(str::to_owned);
    disk.alias = Some(disk_alias(&device.disk));
    // what the guest sees as the serial number: 20 characters at most, enough of the UUID to tell disks apart
    disk.serial = device.disk.uuid.get(..20).map(str::to_owned);
    Ok(disk)
}

fn source(device: &Device) -> Result<Source, Error> {
    let userspace = device.disk.params.get("access").map(|access| access.to_json()).and_then(|access| access.as_str().map(str::to_owned));
    if userspace.as_deref() == Some("userspace") && !device.uri.is_empty() {
        let (protocol, rest) = device.uri.split_once(':').unwrap_or(("", ""));
        if protocol == "rbd" {
            let name = rest.split(':').next().unwrap_or(rest);
            return Ok(Source::Network { protocol: "rbd".to_owned(), name: name.to_owned(), hosts: Vec::new() });
        }
        return Err(Error::Unsupported(format!(
            "disk {}: userspace access to {} is not supported yet by Gannet",
            device.disk.uuid, device.uri
        )));
    }
    if device.path.is_empty() {
        return Err(Error::Missing(format!("disk {} of the instance has no path on this node", device.disk.uuid)));
    }
    let block = match device.disk.dev_type.as_str() {
        "file" | "sharedfile" | "gluster" => false,
        "plain" | "drbd" | "blockdev" | "rbd" => true,
        _ => std::fs::metadata(&device.path).is_ok_and(|data| std::os::unix::fs::FileTypeExt::is_block_device(&data.file_type())),
    };
    Ok(if block { Source::Block(device.path.clone()) } else { Source::File(device.path.clone()) })
}

/// The CD-ROM drives and the floppy, `taken` places of each bus being used already.
pub(super) fn removable(params: &HvParams, taken: impl Fn(Bus) -> usize, q35: bool) -> Result<Vec<Disk>, Error> {
    let mut drives = Vec::new();
    let bus = cdrom_bus(params, q35)?;
    for name in ["cdrom_image_path", "cdrom2_image_path"] {
        let image = params.text(name);
        if !image.is_empty() {
            drives.push(Disk::cdrom(medium(image)?, bus, taken(bus) + drives.len()));
        }
    }
    let floppy = params.text("floppy_image_path");
    if !floppy.is_empty() {
        drives.push(Disk::floppy(Source::File(floppy.to_owned())));
    }
    Ok(drives)
}

/// A CD-ROM drive cannot be paravirtual: it takes the bus that the machine type has for it.
fn cdrom_bus(params: &HvParams, q35: bool) -> Result<Bus, Error> {
    let own = params.text("cdrom_disk_type");
    match if own.is_empty() { params.text("disk_type") } else { own } {
        "paravirtual" | "ide" if q35 => Ok(Bus::Sata),
        "paravirtual" | "ide" => Ok(Bus::Ide),
        word if word.starts_with("scsi") => Ok(Bus::Scsi),
        other => Err(Error::Unsupported(format!("cdrom_disk_type={other} is not supported yet by Gannet"))),
    }
}

fn medium(image: &str) -> Result<Source, Error> {
    let Some((protocol, rest)) = image.split_once("://") else { return Ok(Source::File(image.to_owned())) };
    if !matches!(protocol, "http" | "https" | "ftp" | "ftps") {
        return Err(Error::Unsupported(format!("a CD image at {image} is not supported yet by Gannet; use http, https, ftp or a file")));
    }
    let (host, name) = rest.split_once('/').ok_or_else(|| Error::Invalid(format!("{image} names no file")))?;
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().map_err(|_| Error::Invalid(format!("{image} has no usable port")))?)),
        None => (host, None),
    };
    Ok(Source::Network { protocol: protocol.to_owned(), name: name.to_owned(), hosts: vec![(host.to_owned(), port)] })
}

/// A NIC. `by_hand`: its device is set up by us, not by libvirt.
pub(super) fn nic(params: &HvParams, nic: &node::Nic, by_hand: bool) -> Result<Nic, Error> {
    let link = match nic.mode.as_str() {
        _ if by_hand => Link::Tap { create: true },
        "bridged" => Link::Bridge(nic.link.clone()),
        "openvswitch" => Link::OpenVswitch(nic.link.clone()),
        other => return Err(Error::Invalid(format!("a NIC cannot be {other}"))),
    };
    let model = match params.text("nic_type") {
        "paravirtual" => "virtio",
        other => other,
    };
    let mut made = Nic::new(nic.mac.clone(), link, model);
    made.ifname = Some(device_name(&nic.uuid));
    made.vlan = if by_hand { Vlan::default() } else { vlan(&nic.vlan)? };
    if model == "virtio" {
        made.vhost = params.bool("vhost_net") && std::path::Path::new("/dev/vhost-net").exists();
        made.queues = u32::try_from(params.int("virtio_net_queues").max(1)).unwrap_or(1);
    }
    made.alias = Some(nic_alias(nic));
    Ok(made)
}

/// Ganeti's notation: `.10` untagged, `:20:30` tagged, `.10:20` both.
fn vlan(text: &str) -> Result<Vlan, Error> {
    let bad = || Error::Invalid(format!("{text:?} is not a VLAN: .ID for untagged, :ID for tagged traffic"));
    if text.is_empty() {
        return Ok(Vlan::default());
    }
    let (untagged, tagged) = match text.strip_prefix('.') {
        Some(rest) => rest.split_once(':').unwrap_or((rest, "")),
        None => ("", text.strip_prefix(':').unwrap_or(text)),
    };
    let number = |word: &str| word.parse::<u16>().ok().filter(|id| (1..4095).contains(id)).ok_or_else(bad);
    Ok(Vlan {
        untagged: if untagged.is_empty() { None } else { Some(number(untagged)?) },
        tagged: tagged.split(':').filter(|word| !word.is_empty()).map(number).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::params::with_defaults;
    use super::*;

    fn params(changes: &[(&str, &str)]) -> HvParams {
        with_defaults(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect())
    }

    fn device(dev_type: &str) -> Device {
        let disk = DiskRef { uuid: "7a3b1c2d-0000-4000-8000-000000000001".to_owned(), dev_type: dev_type.to_owned(), ..DiskRef::default() };
        Device { disk, path: "/srv/ganeti/file-storage/web1/disk0".to_owned(), uri: String::new() }
    }

    #[test]
    fn a_shared_disk_is_never_cached() {
        assert_eq!(disk(&params(&[]), &device("file"), 0).expect("disk").cache, None);
        assert_eq!(disk(&params(&[("disk_cache", "writeback")]), &device("file"), 0).expect("disk").cache.as_deref(), Some("writeback"));
        assert_eq!(disk(&params(&[("disk_cache", "writeback")]), &device("sharedfile"), 0).expect("disk").cache.as_deref(), Some("none"));
    }

    #[test]
    fn disk_types() {
        let made = disk(&params(&[("disk_type", "scsi-hd")]), &device("plain"), 1).expect("disk");
        assert_eq!((made.bus, made.target.as_str()), (Bus::Scsi, "sdb"));
        assert!(matches!(made.source, Source::Block(_)));
        assert!(disk(&params(&[("disk_type", "mtd")]), &device("file"), 0).is_err());
    }

    #[test]
    fn cd_images() {
        let with_url = params(&[("cdrom_image_path", "http://example.com:8080/a/cd.iso"), ("cdrom2_image_path", "/srv/two.iso")]);
        let drives = removable(&with_url, |_| 1, false).expect("drives");
        assert_eq!(drives.iter().map(|drive| drive.target.as_str()).collect::<Vec<_>>(), ["hdb", "hdc"]);
        let Source::Network { hosts, name, .. } = &drives[0].source else { panic!("a URL is a network disk") };
        assert_eq!((hosts.as_slice(), name.as_str()), (&[("example.com".to_owned(), Some(8080))][..], "a/cd.iso"));
        assert!(removable(&params(&[("cdrom_image_path", "nfs://x/y")]), |_| 0, false).is_err());
    }

    #[test]
    fn vlans() {
        assert_eq!(vlan(".10:20:30").expect("both"), Vlan { untagged: Some(10), tagged: vec![20, 30] });
        assert_eq!(vlan(":20").expect("tagged"), Vlan { untagged: None, tagged: vec![20] });
        assert!(vlan(".x").is_err() && vlan(":5000").is_err());
    }
}

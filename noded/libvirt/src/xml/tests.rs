//! The XML as such (snapshots) and against libvirt's own schema.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::*;

/// Installed by Debian's `libvirt0`/`libvirt-clients`.
const SCHEMA: &str = "/usr/share/libvirt/schemas/domain.rng";

/// Checks against the schema with `xmllint` (Debian: `libxml2-utils`).
#[track_caller]
fn valid(xml: &str) {
    #[allow(clippy::disallowed_methods, reason = "a test, not a daemon")]
    let mut lint = Command::new("xmllint")
        .args(["--noout", "--relaxng", SCHEMA, "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xmllint of libxml2-utils must be installed");
    lint.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
    let output = lint.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{xml}", String::from_utf8_lossy(&output.stderr));
}

fn small() -> DomainSpec {
    DomainSpec::new("inst1.example.com", UUID, 128, 1, Accel::Tcg { tb_cache_mib: Some(32) })
}

const UUID: &str = "5f2b8f0e-9a2e-4c52-9ac2-1f0f4a1a0001";

fn full() -> DomainSpec {
    let mut disk = Disk::new(Source::File("/srv/ganeti/file-storage/a<b>&'\"/disk0".into()), "qcow2", Bus::Virtio, 0);
    disk.cache = Some("none".into());
    disk.aio = Some("native".into());
    disk.discard = Some("unmap".into());
    disk.serial = Some("disk-0".into());
    disk.alias = Some("ua-disk-1".into());
    let block = Disk { shareable: true, ..Disk::new(Source::Block("/dev/drbd0".into()), "raw", Bus::Scsi, 0) };
    let rbd = Source::Network {
        protocol: "rbd".into(),
        name: "pool/image".into(),
        hosts: vec![("mon1".into(), Some(6789)), ("mon2".into(), None)],
    };
    let mut bridged = Nic::new("aa:00:00:00:00:01", Link::Bridge("br0".into()), "virtio");
    bridged.ifname = Some("gnt.inst1.0".into());
    bridged.vhost = true;
    bridged.queues = 4;
    bridged.mtu = Some(1400);
    bridged.alias = Some("ua-nic-1".into());
    let mut ovs = Nic::new("aa:00:00:00:00:02", Link::OpenVswitch("ovs0".into()), "e1000");
    ovs.vlan = Vlan { untagged: Some(7), tagged: vec![10, 20] };
    let mut routed = Nic::new("aa:00:00:00:00:03", Link::Tap { create: true }, "virtio");
    routed.ifname = Some("gnt.inst1.2".into());
    let mut ready_made = Nic::new("aa:00:00:00:00:04", Link::Tap { create: false }, "rtl8139");
    ready_made.ifname = Some("tap7".into());
    DomainSpec {
        max_memory_mib: Some(256),
        max_vcpus: Some(4),
        accel: Accel::Kvm,
        emulator: Some("/usr/bin/qemu-system-x86_64".into()),
        machine: Some("pc".into()),
        boot_order: vec![BootDevice::Cdrom, BootDevice::Disk, BootDevice::Network],
        localtime: true,
        on_reboot: OnReboot::Exit,
        cpu: Cpu::Named { model: "qemu64".into(), features: vec![("vmx".into(), true), ("svm".into(), false)] },
        topology: Some(Topology { sockets: 1, cores: 2, threads: 2 }),
        cpu_pins: vec![CpuPin { vcpu: None, cpuset: "0-3".into() }, CpuPin { vcpu: Some(1), cpuset: "2,3".into() }],
        numa_nodeset: Some("0".into()),
        hugepages: Some(HugePages { size_kib: Some(2048) }),
        disks: vec![
            disk,
            block,
            Disk::new(rbd, "raw", Bus::Virtio, 1),
            Disk::cdrom(Source::File("/srv/iso/debian.iso".into()), Bus::Ide, 2),
            Disk::cdrom(Source::Empty, Bus::Ide, 3),
            Disk::floppy(Source::File("/srv/floppy.img".into())),
        ],
        nics: vec![bridged, ovs, routed, ready_made],
        serial: Some(Serial { log: Some("/var/log/ganeti/kvm/inst1.log".into()) }),
        graphics: Graphics::Vnc {
            listen: Listen::Address("0.0.0.0".into()),
            port: Some(5901),
            password: Some(Password("secret".into())),
            keymap: Some("de".into()),
        },
        video: Some("cirrus".into()),
        pointer: Some(Pointer::Tablet),
        sound: vec!["ac97".into()],
        guest_agent: true,
        security: Security::User { user: "gnt-kvm".into(), group: None },
        qemu_args: vec!["-device".into(), "pvpanic,ioport=1285".into()],
        metadata: Some(Metadata { instance_uuid: UUID.into(), node_uuid: UUID.into() }),
        ..small()
    }
}

#[test]
fn small_guest() {
    let xml = small().to_xml().unwrap();
    valid(&xml);
    insta::assert_snapshot!(xml);
}

#[test]
fn guest_with_everything() {
    let xml = full().to_xml().unwrap();
    valid(&xml);
    insta::assert_snapshot!(xml);
}

#[test]
fn kernel_boot_and_spice() {
    let mut spec = small();
    spec.kernel = Some(Kernel {
        path: "/boot/vmlinuz".into(),
        initrd: Some("/boot/initrd".into()),
        cmdline: Kernel::command_line(Some("/dev/vda1"), Some("a=\"b c\" <d>"), Some(38400)),
    });
    spec.boot_order = vec![BootDevice::Disk]; // does not apply to a kernel given directly
    spec.cpu = Cpu::Maximum;
    spec.security = Security::None;
    spec.video = Some("qxl".into());
    spec.graphics = Graphics::Spice(Spice {
        listen: "127.0.0.1".into(),
        port: None,
        tls_port: None,
        password: Some(Password("p&w".into())),
        keymap: None,
        image_compression: Some("auto_glz".into()),
        jpeg_wan_compression: Some("never".into()),
        zlib_glz_wan_compression: Some("auto".into()),
        streaming_video: Some("filter".into()),
        playback_compression: true,
        agent: true,
    });
    let xml = spec.to_xml().unwrap();
    valid(&xml);
    insta::assert_snapshot!(xml);
}

#[test]
fn every_small_choice_is_valid() {
    let mut variants = Vec::new();
    for cpu in [Cpu::HostPassthrough, Cpu::HostModel, Cpu::Maximum] {
        variants.push(DomainSpec { cpu, topology: Some(Topology { sockets: 1, cores: 1, threads: 1 }), ..small() });
    }
    for bus in [Bus::Virtio, Bus::Ide, Bus::Scsi, Bus::Sata, Bus::Usb] {
        variants.push(DomainSpec { disks: vec![Disk::new(Source::File("/d".into()), "raw", bus, 0)], ..small() });
    }
    for listen in [Listen::Socket("/run/ganeti/vnc.sock".into()), Listen::Address("::1".into())] {
        let graphics = Graphics::Vnc { listen, port: None, password: None, keymap: None };
        variants.push(DomainSpec { graphics, ..small() });
    }
    variants.push(DomainSpec { accel: Accel::Tcg { tb_cache_mib: None }, acpi: false, balloon_stats_s: None, ..small() });
    variants.push(DomainSpec { hugepages: Some(HugePages { size_kib: None }), pointer: Some(Pointer::Mouse), ..small() });
    variants.push(DomainSpec { serial: Some(Serial::default()), usb: true, ..small() });
    for spec in variants {
        valid(&spec.to_xml().unwrap());
    }
}

#[test]
fn the_schema_test_can_fail() {
    let xml = small().to_xml().unwrap().replace("<on_crash>", "<on_crush>").replace("</on_crash>", "</on_crush>");
    assert!(std::panic::catch_unwind(|| valid(&xml)).is_err());
}

#[track_caller]
fn refused(spec: &DomainSpec, reason: &str) {
    let error = spec.to_xml().unwrap_err().to_string();
    assert!(error.contains(reason), "{error}");
}

#[test]
fn what_cannot_be_said_is_refused() {
    refused(&DomainSpec { name: "a\u{1}b".into(), ..small() }, "control character");
    refused(&DomainSpec { qemu_args: vec!["a\nb".into()], ..small() }, "control character");
    refused(&DomainSpec { name: String::new(), ..small() }, "empty");
    refused(&DomainSpec { vcpus: 0, ..small() }, "more than 0");
    refused(&DomainSpec { max_memory_mib: Some(64), ..small() }, "below 128 MiB");
    refused(&DomainSpec { topology: Some(Topology { sockets: 2, cores: 2, threads: 1 }), ..small() }, "makes 4 CPUs");
    let disk = Disk::new(Source::File("/d".into()), "raw", Bus::Virtio, 0);
    refused(&DomainSpec { disks: vec![disk.clone(), disk.clone()], ..small() }, "two disks are called vda");
    refused(&DomainSpec { disks: vec![Disk { source: Source::Empty, ..disk.clone() }], ..small() }, "no source");
    refused(&DomainSpec { disks: vec![Disk { alias: Some("disk0".into()), ..disk }], ..small() }, "ua-");
    let tap = Nic::new("aa:00:00:00:00:01", Link::Tap { create: false }, "virtio");
    refused(&DomainSpec { nics: vec![tap.clone()], ..small() }, "needs its name");
    refused(&DomainSpec { nics: vec![Nic { ifname: Some("much-too-long-name".into()), ..tap }], ..small() }, "15 characters");
}

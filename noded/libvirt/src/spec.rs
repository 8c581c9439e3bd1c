//! A guest as a plain value; [`DomainSpec::to_xml`] turns it into libvirt's XML.

/// Everything that is put into a domain definition. Memory is in MiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainSpec {
    pub name: String,
    /// With hyphens. Give the instance's own UUID: a domain of the same name and another UUID is replaced at start.
    pub uuid: String,
    pub memory_mib: u64,
    /// Ceiling of the balloon; `None`: `memory_mib`.
    pub max_memory_mib: Option<u64>,
    pub vcpus: u32,
    /// vCPUs that may be plugged in while it runs; `None`: `vcpus`.
    pub max_vcpus: Option<u32>,
    pub accel: Accel,
    /// Path of the QEMU binary; `None`: libvirt's choice.
    pub emulator: Option<String>,
    /// `x86_64`, `aarch64`, …
    pub arch: String,
    /// Machine type; `None`: QEMU's default.
    pub machine: Option<String>,
    /// In order; ignored by the guest's firmware when `kernel` is given.
    pub boot_order: Vec<BootDevice>,
    pub kernel: Option<Kernel>,
    pub acpi: bool,
    /// The clock runs in local time instead of UTC.
    pub localtime: bool,
    pub on_reboot: OnReboot,
    pub cpu: Cpu,
    pub topology: Option<Topology>,
    /// CPUs of the node on which vCPUs may run.
    pub cpu_pins: Vec<CpuPin>,
    /// NUMA nodes from which memory is taken, strictly (`0-1,3`).
    pub numa_nodeset: Option<String>,
    pub hugepages: Option<HugePages>,
    pub disks: Vec<Disk>,
    /// Model of the SCSI controller (`virtio-scsi`, `lsilogic`, `megasas`, …) when a disk is on the `scsi` bus.
    pub scsi_controller: Option<String>,
    pub nics: Vec<Nic>,
    pub serial: Option<Serial>,
    pub graphics: Graphics,
    /// Video card model (`vga`, `cirrus`, `qxl`, `vmvga`, `virtio`); `None`: no video card.
    pub video: Option<String>,
    pub usb: bool,
    pub pointer: Option<Pointer>,
    /// Models as libvirt names them (`ac97`, `es1370`, `ich6`, `sb16`, `pcspk`, `usb`).
    pub sound: Vec<String>,
    /// Balloon device with statistics each `n` seconds; `None`: no balloon device.
    pub balloon_stats_s: Option<u32>,
    /// A virtio channel for the guest agent.
    pub guest_agent: bool,
    pub security: Security,
    /// Arguments appended to QEMU's command line as they are (taints the domain; not checked by libvirt).
    pub qemu_args: Vec<String>,
    pub metadata: Option<Metadata>,
}

impl DomainSpec {
    /// The smallest guest: no disk, no NIC, no display, ACPI on.
    pub fn new(name: impl Into<String>, uuid: impl Into<String>, memory_mib: u64, vcpus: u32, accel: Accel) -> Self {
        DomainSpec {
            name: name.into(),
            uuid: uuid.into(),
            memory_mib,
            max_memory_mib: None,
            vcpus,
            max_vcpus: None,
            accel,
            emulator: None,
            arch: "x86_64".to_owned(),
            machine: None,
            boot_order: Vec::new(),
            kernel: None,
            acpi: true,
            localtime: false,
            on_reboot: OnReboot::Restart,
            cpu: Cpu::Default,
            topology: None,
            cpu_pins: Vec::new(),
            numa_nodeset: None,
            hugepages: None,
            disks: Vec::new(),
            scsi_controller: None,
            nics: Vec::new(),
            serial: None,
            graphics: Graphics::None,
            video: None,
            usb: false,
            pointer: None,
            sound: Vec::new(),
            balloon_stats_s: Some(5),
            guest_agent: false,
            security: Security::Default,
            qemu_args: Vec::new(),
            metadata: None,
        }
    }
}

/// Hardware virtualisation or emulation. [`crate::Capabilities::accel`] tells what works here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accel {
    Kvm,
    /// Emulation. The translation cache is QEMU's default (up to 1 GiB) unless given: 32 MiB do for a Linux guest,
    /// 8 MiB made its boot three times slower.
    Tcg {
        tb_cache_mib: Option<u32>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootDevice {
    Disk,
    Cdrom,
    Floppy,
    Network,
}

/// Direct kernel boot. Paths on the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    pub path: String,
    pub initrd: Option<String>,
    /// The whole command line, `root=` and `console=` included.
    pub cmdline: Option<String>,
}

impl Kernel {
    /// Ganeti's form of the command line: `root=ROOT ro ARGS`, and the serial console when the guest has one.
    pub fn command_line(root: Option<&str>, args: Option<&str>, serial_speed: Option<u32>) -> Option<String> {
        let mut parts = Vec::new();
        if let Some(root) = root {
            parts.push(format!("root={root} ro"));
        }
        if let Some(args) = args.filter(|args| !args.is_empty()) {
            parts.push(args.to_owned());
        }
        if let Some(speed) = serial_speed {
            parts.push(format!("console=ttyS0,{speed}"));
        }
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnReboot {
    Restart,
    /// A reboot from inside ends the guest (Ganeti: `reboot_behavior=exit`).
    Exit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cpu {
    /// QEMU's default model.
    Default,
    /// The node's CPU as it is: migrates only between equal nodes.
    HostPassthrough,
    HostModel,
    /// All that the accelerator can do (`max`).
    Maximum,
    /// A named model and features to `require` (true) or `disable` (false).
    Named {
        model: String,
        features: Vec<(String, bool)>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topology {
    pub sockets: u32,
    pub cores: u32,
    pub threads: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuPin {
    /// `None`: all vCPUs and the emulator.
    pub vcpu: Option<u32>,
    /// libvirt's form: `0-3,^2,7`.
    pub cpuset: String,
}

/// Guest memory from huge pages. libvirt takes the mount point from its own configuration, so the node agent maps
/// a `mem_path` to the page size of that mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HugePages {
    /// `None`: the node's default size.
    pub size_kib: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskDevice {
    Disk,
    Cdrom,
    Floppy,
    /// SCSI pass-through of a block device.
    Lun,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bus {
    Virtio,
    Ide,
    Scsi,
    Sata,
    Usb,
    Fdc,
}

impl Bus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Bus::Virtio => "virtio",
            Bus::Ide => "ide",
            Bus::Scsi => "scsi",
            Bus::Sata => "sata",
            Bus::Usb => "usb",
            Bus::Fdc => "fdc",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Bus::Virtio => "vd",
            Bus::Ide => "hd",
            Bus::Scsi | Bus::Sata | Bus::Usb => "sd",
            Bus::Fdc => "fd",
        }
    }

    /// The name libvirt knows the `index`-th disk of this bus by: `vda`, `sdb`, `vdaa`. SCSI, SATA and USB share the
    /// letters of `sd`, so they share one counter too.
    pub fn target(self, index: usize) -> String {
        let mut letters = Vec::new();
        let mut rest = index + 1;
        while rest > 0 {
            rest -= 1;
            // rest % 26 is below 26, so the sum stays a lower-case letter
            letters.push(char::from(b'a' + (rest % 26) as u8));
            rest /= 26;
        }
        self.prefix().chars().chain(letters.into_iter().rev()).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    File(String),
    Block(String),
    /// A network disk (`rbd`, `gluster`, `nbd`, `http`, …): its image name and hosts (name or address, port).
    Network {
        protocol: String,
        name: String,
        hosts: Vec<(String, Option<u16>)>,
    },
    /// A drive without medium (CD-ROM and floppy only).
    Empty,
}

/// A disk, CD-ROM or floppy. `None` means QEMU's or libvirt's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    pub device: DiskDevice,
    pub source: Source,
    /// `raw`, `qcow2`, …: always said, never guessed from the content.
    pub format: String,
    pub bus: Bus,
    /// See [`Bus::target`].
    pub target: String,
    pub cache: Option<String>,
    /// `native`, `threads`, `io_uring`.
    pub aio: Option<String>,
    /// `unmap` or `ignore`.
    pub discard: Option<String>,
    pub readonly: bool,
    /// Writable by several guests at once.
    pub shareable: bool,
    pub serial: Option<String>,
    /// A name of our own for hot-unplug; must begin with `ua-`.
    pub alias: Option<String>,
}

impl Disk {
    /// A writable hard disk.
    pub fn new(source: Source, format: impl Into<String>, bus: Bus, index: usize) -> Disk {
        Disk {
            device: DiskDevice::Disk,
            source,
            format: format.into(),
            bus,
            target: bus.target(index),
            cache: None,
            aio: None,
            discard: None,
            readonly: false,
            shareable: false,
            serial: None,
            alias: None,
        }
    }

    /// A read-only CD-ROM.
    pub fn cdrom(source: Source, bus: Bus, index: usize) -> Disk {
        Disk { device: DiskDevice::Cdrom, readonly: true, ..Disk::new(source, "raw", bus, index) }
    }

    /// The first floppy drive.
    pub fn floppy(source: Source) -> Disk {
        Disk { device: DiskDevice::Floppy, ..Disk::new(source, "raw", Bus::Fdc, 0) }
    }
}

/// What a NIC is tied to on the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    Bridge(String),
    OpenVswitch(String),
    /// A tap device without bridge (routed, or cabled by the node agent while the guest is still paused). `create`:
    /// libvirt makes and removes the device; otherwise it must exist.
    Tap {
        create: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    pub mac: String,
    pub link: Link,
    /// `virtio`, `e1000`, `rtl8139`, …
    pub model: String,
    /// Device name on the node (15 characters at most, not beginning with `vnet`); `None`: libvirt's choice. A
    /// [`Link::Tap`] that is not created must have one.
    pub ifname: Option<String>,
    pub vlan: Vlan,
    /// virtio only: packets handled by the kernel.
    pub vhost: bool,
    /// virtio only: queue pairs, 1 or more.
    pub queues: u32,
    pub mtu: Option<u32>,
    /// A name of our own for hot-unplug; must begin with `ua-`.
    pub alias: Option<String>,
}

impl Nic {
    pub fn new(mac: impl Into<String>, link: Link, model: impl Into<String>) -> Nic {
        Nic {
            mac: mac.into(),
            link,
            model: model.into(),
            ifname: None,
            vlan: Vlan::default(),
            vhost: false,
            queues: 1,
            mtu: None,
            alias: None,
        }
    }
}

/// VLAN tags of a NIC. On a Linux bridge they need libvirt 11; Open vSwitch takes them in every version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vlan {
    pub untagged: Option<u16>,
    pub tagged: Vec<u16>,
}

/// The first serial port, a pseudo terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Serial {
    /// What the guest prints is also appended to this file.
    pub log: Option<String>,
}

/// A password that does not show up in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<redacted>")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    Address(String),
    /// A unix socket.
    Socket(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Graphics {
    None,
    /// VNC. TLS cannot be chosen per domain in libvirt (only by `vnc_tls` in qemu.conf).
    Vnc {
        listen: Listen,
        /// TCP port (5900 + display); `None`: libvirt chooses.
        port: Option<u16>,
        /// QEMU compares the first 8 characters only.
        password: Option<Password>,
        keymap: Option<String>,
    },
    Spice(Spice),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spice {
    pub listen: String,
    /// `None`: libvirt chooses.
    pub port: Option<u16>,
    pub tls_port: Option<u16>,
    pub password: Option<Password>,
    pub keymap: Option<String>,
    /// `auto_glz`, `auto_lz`, `quic`, `glz`, `lz`, `off`.
    pub image_compression: Option<String>,
    /// `auto`, `never`, `always`.
    pub jpeg_wan_compression: Option<String>,
    pub zlib_glz_wan_compression: Option<String>,
    /// `filter`, `all`, `off`.
    pub streaming_video: Option<String>,
    pub playback_compression: bool,
    /// The agent's channel (mouse, clipboard).
    pub agent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointer {
    /// Absolute coordinates.
    Tablet,
    Mouse,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// As configured in qemu.conf.
    Default,
    /// No confinement, whatever is configured.
    None,
    /// QEMU runs as this user (and group). Files are not relabelled: they must be accessible.
    User { user: String, group: Option<String> },
}

/// Our mark in the definition, `<gannet:instance xmlns:gannet="https://gannet.dev/xmlns/domain/1">`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    pub instance_uuid: String,
    pub node_uuid: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_names() {
        assert_eq!(Bus::Virtio.target(0), "vda");
        assert_eq!(Bus::Scsi.target(25), "sdz");
        assert_eq!(Bus::Virtio.target(26), "vdaa");
        assert_eq!(Bus::Ide.target(26 + 26 * 26), "hdaaa");
    }

    #[test]
    fn passwords_stay_out_of_debug() {
        let graphics = Graphics::Vnc {
            listen: Listen::Address("127.0.0.1".into()),
            port: None,
            password: Some(Password("hunter2".into())),
            keymap: None,
        };
        assert!(!format!("{graphics:?}").contains("hunter2"));
    }

    #[test]
    fn command_lines() {
        assert_eq!(
            Kernel::command_line(Some("/dev/vda1"), Some("quiet"), Some(38400)).as_deref(),
            Some("root=/dev/vda1 ro quiet console=ttyS0,38400")
        );
        assert_eq!(Kernel::command_line(None, Some(""), None), None);
    }
}

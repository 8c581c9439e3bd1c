//! The definition of a guest, from its instance, its filled parameters, and what this node can do.

use gannet_core::param::hv::HvParams;
use gannet_core::param::{CpuSet, parse_multi_cpu_mask};
use gannet_libvirt::{
    Accel, BootDevice, Bus, Capabilities, Cpu, CpuPin, DomainSpec, Graphics, HugePages, Kernel, Metadata, OnReboot, Pointer, Security,
    Serial, Topology,
};
use gannet_proto::node::Instance;

use super::{device, graphics, params};
use crate::hypervisor::{Device, Error};

/// What the definition depends on besides the instance.
pub(super) struct Here<'a> {
    pub(super) node: &'a str,
    pub(super) capabilities: &'a Capabilities,
    /// File that gets what the serial console prints.
    pub(super) console_log: String,
    /// Whether this NIC's device is set up by us.
    pub(super) by_hand: &'a (dyn Fn(&gannet_proto::node::Nic) -> bool + Sync),
}

/// Builds it.
pub(super) fn spec(instance: &Instance, devices: &[Device], here: &Here<'_>) -> Result<DomainSpec, Error> {
    let hv = params::filled(instance);
    let problems: Vec<String> = params::problems(&hv).into_iter().chain(params::missing(&hv)).collect();
    if !problems.is_empty() {
        return Err(Error::Invalid(problems.join("; ")));
    }
    let memory = instance.max_memory_mib;
    let mut spec = DomainSpec::new(&instance.name, &instance.uuid, memory, instance.vcpus, accel(&hv, here.capabilities, memory)?);
    spec.arch.clone_from(&here.capabilities.arch);
    spec.emulator = params::emulator(&hv);
    spec.machine = text(&hv, "machine_version");
    spec.kernel = kernel(&hv);
    spec.boot_order = vec![boot_device(&hv)];
    spec.acpi = hv.bool("acpi");
    spec.localtime = hv.bool("use_localtime");
    spec.on_reboot = if hv.text("reboot_behavior") == "exit" { OnReboot::Exit } else { OnReboot::Restart };
    spec.cpu = cpu(hv.text("cpu_type"));
    spec.topology = topology(&hv, instance.vcpus)?;
    spec.cpu_pins = cpu_pins(hv.text("cpu_mask"), instance.vcpus)?;
    spec.hugepages = huge_pages(hv.text("mem_path"))?;
    spec.scsi_controller = Some(scsi_controller(&hv).to_owned());
    spec.serial = hv.bool("serial_console").then(|| Serial { log: Some(here.console_log.clone()) });
    spec.sound = sound(hv.text("soundhw"))?;
    spec.guest_agent = hv.bool("use_guest_agent");
    spec.security = match hv.text("security_model") {
        "user" => Security::User { user: hv.text("security_domain").to_owned(), group: None },
        _ => Security::Default,
    };
    spec.qemu_args = params::split_extra(hv.text("kvm_extra")).map_err(Error::Invalid)?;
    spec.metadata = Some(Metadata { instance_uuid: instance.uuid.clone(), node_uuid: here.node.to_owned() });
    add_devices(&mut spec, &hv, instance, devices, here)?;
    add_screen(&mut spec, &hv, instance)?;
    Ok(spec)
}

fn add_devices(spec: &mut DomainSpec, hv: &HvParams, instance: &Instance, devices: &[Device], here: &Here<'_>) -> Result<(), Error> {
    for (index, one) in devices.iter().enumerate() {
        spec.disks.push(device::disk(hv, one, index)?);
    }
    let machine = spec.machine.as_deref().unwrap_or(&here.capabilities.machine);
    // SCSI, SATA and USB disks share one sequence of names
    let group = |bus| if matches!(bus, Bus::Sata | Bus::Usb) { Bus::Scsi } else { bus };
    let taken = |bus: Bus| spec.disks.iter().filter(|disk| group(disk.bus) == group(bus)).count();
    let drives = device::removable(hv, taken, machine.contains("q35"))?;
    spec.disks.extend(drives);
    for nic in &instance.nics {
        spec.nics.push(device::nic(hv, nic, (here.by_hand)(nic))?);
    }
    Ok(())
}

fn add_screen(spec: &mut DomainSpec, hv: &HvParams, instance: &Instance) -> Result<(), Error> {
    spec.graphics = graphics::graphics(hv, &instance.name, instance.network_port)?;
    spec.video = graphics::video(hv, &spec.graphics);
    spec.pointer = match (hv.text("usb_mouse"), &spec.graphics) {
        ("mouse", _) => Some(Pointer::Mouse),
        // without absolute coordinates the pointer of a VNC viewer runs away
        ("tablet", _) | ("", Graphics::Vnc { .. }) => Some(Pointer::Tablet),
        _ => None,
    };
    spec.usb = spec.pointer.is_some() || matches!(spec.graphics, Graphics::Spice(_));
    Ok(())
}

fn text(hv: &HvParams, name: &str) -> Option<String> {
    Some(hv.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Hardware virtualisation where it works and is not switched off; else emulation, with a small translation cache: the
/// default of up to 1 GiB would cost more than the guest.
fn accel(hv: &HvParams, capabilities: &Capabilities, memory_mib: u64) -> Result<Accel, Error> {
    let size = if memory_mib < 64 { 8 } else { u32::try_from((memory_mib / 8).clamp(32, 256)).unwrap_or(256) };
    match hv.text("kvm_flag") {
        "disabled" => Ok(Accel::Tcg { tb_cache_mib: Some(size) }),
        "enabled" if !capabilities.kvm => {
            let reason = capabilities.kvm_missing.as_deref().unwrap_or("libvirt does not offer it");
            Err(Error::Missing(format!("kvm_flag=enabled, but hardware virtualisation does not work on this node: {reason}")))
        }
        _ => Ok(capabilities.accel(Some(size))),
    }
}

fn kernel(hv: &HvParams) -> Option<Kernel> {
    let path = text(hv, "kernel_path")?;
    let speed = hv.bool("serial_console").then(|| u32::try_from(hv.int("serial_speed")).ok()).flatten();
    let cmdline = Kernel::command_line(text(hv, "root_path").as_deref(), Some(hv.text("kernel_args")), speed);
    Some(Kernel { path, initrd: text(hv, "initrd_path"), cmdline })
}

fn boot_device(hv: &HvParams) -> BootDevice {
    match hv.text("boot_order") {
        "cdrom" => BootDevice::Cdrom,
        "floppy" => BootDevice::Floppy,
        "network" => BootDevice::Network,
        _ => BootDevice::Disk,
    }
}

/// QEMU's notation: `host`, `MODEL`, `MODEL,+feature,-feature`, `MODEL,feature=on`.
fn cpu(text: &str) -> Cpu {
    let mut words = text.split(',').filter(|word| !word.is_empty());
    let features = |words: std::str::Split<'_, char>| -> Vec<(String, bool)> {
        words
            .filter(|word| !word.is_empty())
            .map(|word| match (word.strip_prefix('+'), word.strip_prefix('-'), word.split_once('=')) {
                (Some(name), _, _) => (name.to_owned(), true),
                (_, Some(name), _) => (name.to_owned(), false),
                (_, _, Some((name, value))) => (name.to_owned(), matches!(value, "on" | "true" | "yes")),
                _ => (word.to_owned(), true),
            })
            .collect()
    };
    match words.next() {
        None => Cpu::Default,
        Some("host") if !text.contains(',') => Cpu::HostPassthrough,
        Some("max") if !text.contains(',') => Cpu::Maximum,
        Some(model) => {
            let mut rest = text.split(',');
            rest.next();
            Cpu::Named { model: model.to_owned(), features: features(rest) }
        }
    }
}

/// Only what is given, the rest such that it makes the number of virtual CPUs.
fn topology(hv: &HvParams, vcpus: u32) -> Result<Option<Topology>, Error> {
    let get = |name| u32::try_from(hv.int(name)).unwrap_or(0);
    let (sockets, cores, threads) = (get("cpu_sockets"), get("cpu_cores"), get("cpu_threads"));
    if sockets == 0 && cores == 0 && threads == 0 {
        return Ok(None);
    }
    let (cores, threads) = (cores.max(1), threads.max(1));
    let sockets = if sockets == 0 { vcpus / (cores * threads).max(1) } else { sockets };
    if u64::from(sockets) * u64::from(cores) * u64::from(threads) != u64::from(vcpus) {
        return Err(Error::Invalid(format!(
            "cpu_sockets, cpu_cores and cpu_threads make {sockets} * {cores} * {threads} CPUs, but the instance has {vcpus}"
        )));
    }
    Ok(Some(Topology { sockets, cores, threads }))
}

fn cpu_pins(mask: &str, vcpus: u32) -> Result<Vec<CpuPin>, Error> {
    let sets = parse_multi_cpu_mask(mask).ok_or_else(|| Error::Invalid(format!("cpu_mask {mask:?} is not one")))?;
    let list = |set: &CpuSet| match set {
        CpuSet::All => None,
        CpuSet::Cpus(cpus) if cpus.is_empty() => None,
        CpuSet::Cpus(cpus) => Some(cpus.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
    };
    if let [only] = sets.as_slice() {
        return Ok(list(only).into_iter().map(|cpuset| CpuPin { vcpu: None, cpuset }).collect());
    }
    if u32::try_from(sets.len()) != Ok(vcpus) {
        return Err(Error::Invalid(format!("cpu_mask {mask} is for {} virtual CPUs, but the instance has {vcpus}", sets.len())));
    }
    Ok((0..).zip(&sets).filter_map(|(vcpu, set)| Some(CpuPin { vcpu: Some(vcpu), cpuset: list(set)? })).collect())
}

fn huge_pages(mem_path: &str) -> Result<Option<HugePages>, Error> {
    if mem_path.is_empty() {
        return Ok(None);
    }
    let data = nix::sys::statfs::statfs(mem_path).map_err(|error| Error::Missing(format!("mem_path {mem_path}: {error}")))?;
    if data.filesystem_type() != nix::sys::statfs::HUGETLBFS_MAGIC {
        return Err(Error::Missing(format!("mem_path {mem_path} is not a mount of hugetlbfs on this node")));
    }
    Ok(Some(HugePages { size_kib: u64::try_from(data.block_size()).ok().map(|bytes| bytes / 1024) }))
}

fn scsi_controller(hv: &HvParams) -> &'static str {
    match hv.text("scsi_controller_type") {
        "megasas" => "megasas",
        "virtio-scsi-pci" => "virtio-scsi",
        _ => "lsilogic",
    }
}

fn sound(text: &str) -> Result<Vec<String>, Error> {
    text.split(',')
        .filter(|word| !word.is_empty())
        .map(|word| match word.to_ascii_lowercase().as_str() {
            model @ ("ac97" | "es1370" | "sb16" | "pcspk") => Ok(model.to_owned()),
            "hda" | "intel-hda" | "ich6" => Ok("ich6".to_owned()),
            "usb-audio" | "usb" => Ok("usb".to_owned()),
            other => Err(Error::Unsupported(format!("soundhw={other} is not supported yet by Gannet"))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use gannet_proto::node::{DiskRef, Nic, ParamValue};
    use serde_json::{Value, json};

    use super::*;

    fn capabilities(kvm: bool) -> Capabilities {
        Capabilities {
            kvm,
            kvm_missing: (!kvm).then(|| "no /dev/kvm".to_owned()),
            emulator: "/usr/bin/qemu-system-x86_64".to_owned(),
            arch: "x86_64".to_owned(),
            machine: "pc-i440fx-7.2".to_owned(),
            machines: Vec::new(),
            max_vcpus: 255,
            cpu_models: Vec::new(),
        }
    }

    fn build(changes: &[(&str, Value)]) -> Result<DomainSpec, Error> {
        let mut instance = crate::hypervisor::suite::instance();
        instance.vcpus = 4;
        instance.network_port = 11001;
        instance.hvparams.insert("kernel_path".to_owned(), ParamValue::from_json(&json!("")).expect("text"));
        instance.hvparams.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), ParamValue::from_json(value).expect("scalar"))));
        instance.nics = vec![Nic {
            uuid: "7a3b1c2d-0000-4000-8000-000000000001".to_owned(),
            mac: "aa:00:00:00:00:01".to_owned(),
            mode: "bridged".to_owned(),
            link: "br0".to_owned(),
            ..Nic::default()
        }];
        let disk = DiskRef { uuid: "8a3b1c2d-0000-4000-8000-000000000002".to_owned(), dev_type: "file".to_owned(), ..DiskRef::default() };
        let devices = [Device { disk, path: "/srv/web1/disk0".to_owned(), uri: String::new() }];
        let here = Here {
            node: "node1",
            capabilities: &capabilities(false),
            console_log: "/var/log/ganeti/kvm/web1.console".to_owned(),
            by_hand: &|_| false,
        };
        spec(&instance, &devices, &here)
    }

    fn xml(changes: &[(&str, Value)]) -> String {
        build(changes).expect("spec").to_xml().expect("XML")
    }

    #[track_caller]
    fn has(changes: &[(&str, Value)], texts: &[&str]) {
        let xml = xml(changes).replace('"', "'");
        for text in texts {
            assert!(xml.contains(text), "{text} in\n{xml}");
        }
    }

    #[test]
    fn a_default_guest() {
        has(
            &[],
            &[
                "<domain type='qemu'",
                "<acpi/>",
                "dev='vda'",
                "bus='virtio'",
                "<source bridge='br0'",
                "gnt7a3b1c2d000",
                "web1.console",
                "<model type='none'/>",
                "https://gannet.dev/xmlns/domain/1",
            ],
        );
    }

    #[test]
    fn every_mapped_parameter_shows() {
        has(
            &[("disk_type", json!("ide")), ("disk_cache", json!("none")), ("disk_aio", json!("native"))],
            &["dev='hda'", "cache='none'", "io='native'"],
        );
        has(&[("nic_type", json!("e1000"))], &["<model type='e1000'/>"]);
        has(&[("reboot_behavior", json!("exit"))], &["<on_reboot>destroy"]);
        has(&[("use_localtime", json!(true))], &["offset='localtime'"]);
        has(&[("cpu_mask", json!("0:1:2:all"))], &["<vcpupin vcpu='2' cpuset='2'/>"]);
        has(&[("cpu_mask", json!("0-1"))], &["cpuset='0,1'"]);
        has(&[("cpu_cores", json!(2)), ("cpu_threads", json!(2))], &["sockets='1' cores='2' threads='2'"]);
        has(&[("cpu_type", json!("qemu64,+sse4.2,-nx"))], &["qemu64", "policy='require' name='sse4.2'", "policy='disable' name='nx'"]);
        has(
            &[("vnc_bind_address", json!("127.0.0.1")), ("keymap", json!("de"))],
            &["type='vnc'", "port='11001'", "keymap='de'", "type='tablet'"],
        );
        has(&[("soundhw", json!("hda"))], &["<sound model='ich6'/>"]);
        has(&[("kvm_extra", json!("-smbios \"type=1,serial=a b\""))], &["value='type=1,serial=a b'"]);
        has(&[("use_guest_agent", json!(true))], &["org.qemu.guest_agent.0"]);
        has(&[("scsi_controller_type", json!("megasas")), ("disk_type", json!("scsi"))], &["model='megasas'", "dev='sda'"]);
        has(&[("machine_version", json!("q35")), ("boot_order", json!("network"))], &["machine='q35'", "dev='network'"]);
        has(&[("security_model", json!("user")), ("security_domain", json!("nobody"))], &["nobody:nobody"]);
        has(&[("kvm_flag", json!("disabled"))], &["<domain type='qemu'"]);
        has(&[("disk_discard", json!("unmap"))], &["discard='unmap'"]);
        assert!(!xml(&[("acpi", json!(false))]).contains("acpi"));
        assert!(!xml(&[("serial_console", json!(false))]).contains("serial type"));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (name, value, text) in [
            ("kvm_flag", json!("enabled"), "no /dev/kvm"),
            ("cpu_mask", json!("0:1"), "for 2 virtual CPUs"),
            ("cpu_sockets", json!(3), "but the instance has 4"),
            ("kernel_path", json!("/nonexistent/vmlinuz"), "does not exist on this node"),
            ("soundhw", json!("all"), "soundhw=all is not supported"),
            ("use_chroot", json!(true), "use_chroot=true is not supported"),
            ("mem_path", json!("/tmp"), "not a mount of hugetlbfs"),
        ] {
            let error = build(&[(name, value)]).expect_err(name).to_string();
            assert!(error.contains(text), "{name}: {error}");
        }
    }
}

//! The domain element and all that is not a device.

use super::device::devices;
use super::element::{Element, element};
use crate::{Accel, BootDevice, Cpu, DomainSpec, Error, Metadata, OnReboot, Security};

/// Namespace of our own metadata.
const GANNET_NS: &str = "https://gannet.dev/xmlns/domain/1";
/// libvirt's namespace for extra QEMU arguments.
const QEMU_NS: &str = "http://libvirt.org/schemas/domain/qemu/1.0";

pub(super) fn domain(spec: &DomainSpec) -> Result<Element, Error> {
    check(spec)?;
    let kind = match spec.accel {
        Accel::Kvm => "kvm",
        Accel::Tcg { .. } => "qemu",
    };
    let mut domain = element("domain").attr("type", kind);
    if !spec.qemu_args.is_empty() {
        domain = domain.attr("xmlns:qemu", QEMU_NS);
    }
    let max_memory = spec.max_memory_mib.unwrap_or(spec.memory_mib);
    let domain = domain
        .child(element("name").text(&spec.name))
        .child(element("uuid").text(&spec.uuid))
        .children(spec.metadata.as_ref().map(metadata))
        .child(element("memory").attr("unit", "MiB").text(max_memory))
        .child(element("currentMemory").attr("unit", "MiB").text(spec.memory_mib))
        .children(spec.hugepages.map(|pages| {
            let page = pages.size_kib.map(|size| element("page").attr("size", size).attr("unit", "KiB"));
            element("memoryBacking").child(element("hugepages").children(page))
        }))
        .child(vcpu(spec))
        .children(cputune(spec))
        .children(
            spec.numa_nodeset
                .as_ref()
                .map(|nodes| element("numatune").child(element("memory").attr("mode", "strict").attr("nodeset", nodes))),
        )
        .child(os(spec))
        .child(features(spec))
        .children(cpu(spec))
        .child(element("clock").attr("offset", if spec.localtime { "localtime" } else { "utc" }))
        .child(element("on_poweroff").text("destroy"))
        .child(element("on_reboot").text(match spec.on_reboot {
            OnReboot::Restart => "restart",
            OnReboot::Exit => "destroy",
        }))
        .child(element("on_crash").text("destroy"))
        .child(devices(spec)?)
        .children(security(&spec.security));
    if spec.qemu_args.is_empty() {
        return Ok(domain);
    }
    let args = spec.qemu_args.iter().map(|arg| element("qemu:arg").attr("value", arg));
    Ok(domain.child(element("qemu:commandline").children(args)))
}

fn check(spec: &DomainSpec) -> Result<(), Error> {
    let refuse = |reason: String| Err(Error::invalid(format!("domain spec of {:?}", spec.name), reason));
    if spec.name.is_empty() || spec.name.contains('/') {
        return refuse("the name is empty or has a slash".to_owned());
    }
    if spec.memory_mib == 0 || spec.vcpus == 0 {
        return refuse("memory and vCPUs must be more than 0".to_owned());
    }
    if spec.max_memory_mib.is_some_and(|max| max < spec.memory_mib) {
        return refuse(format!("the memory ceiling is below {} MiB", spec.memory_mib));
    }
    if spec.max_vcpus.is_some_and(|max| max < spec.vcpus) {
        return refuse(format!("the vCPU ceiling is below {}", spec.vcpus));
    }
    if let Some(topology) = spec.topology {
        let product = u64::from(topology.sockets) * u64::from(topology.cores) * u64::from(topology.threads);
        let vcpus = spec.max_vcpus.unwrap_or(spec.vcpus);
        if product != u64::from(vcpus) {
            return refuse(format!("the CPU topology makes {product} CPUs, not {vcpus}"));
        }
    }
    let mut targets: Vec<&str> = spec.disks.iter().map(|disk| disk.target.as_str()).collect();
    targets.sort_unstable();
    if let Some(pair) = targets.windows(2).find(|pair| pair.first() == pair.last()) {
        return refuse(format!("two disks are called {}", pair.first().copied().unwrap_or_default()));
    }
    Ok(())
}

fn metadata(metadata: &Metadata) -> Element {
    element("metadata").child(
        element("gannet:instance").attr("xmlns:gannet", GANNET_NS).attr("uuid", &metadata.instance_uuid).attr("node", &metadata.node_uuid),
    )
}

fn vcpu(spec: &DomainSpec) -> Element {
    let max = spec.max_vcpus.unwrap_or(spec.vcpus);
    let all = spec.cpu_pins.iter().find(|pin| pin.vcpu.is_none()).map(|pin| &pin.cpuset);
    element("vcpu").attr("placement", "static").maybe("cpuset", all).maybe("current", (max != spec.vcpus).then_some(spec.vcpus)).text(max)
}

fn cputune(spec: &DomainSpec) -> Option<Element> {
    let pins: Vec<Element> =
        spec.cpu_pins.iter().filter_map(|pin| Some(element("vcpupin").attr("vcpu", pin.vcpu?).attr("cpuset", &pin.cpuset))).collect();
    (!pins.is_empty()).then(|| element("cputune").children(pins))
}

fn os(spec: &DomainSpec) -> Element {
    let kind = element("type").attr("arch", &spec.arch).maybe("machine", spec.machine.as_ref()).text("hvm");
    let os = element("os").child(kind);
    // firmware boot order and direct kernel boot exclude each other
    match &spec.kernel {
        Some(kernel) => os
            .child(element("kernel").text(&kernel.path))
            .children(kernel.initrd.as_ref().map(|initrd| element("initrd").text(initrd)))
            .children(kernel.cmdline.as_ref().map(|cmdline| element("cmdline").text(cmdline))),
        None => os.children(spec.boot_order.iter().map(|device| {
            let name = match device {
                BootDevice::Disk => "hd",
                BootDevice::Cdrom => "cdrom",
                BootDevice::Floppy => "fd",
                BootDevice::Network => "network",
            };
            element("boot").attr("dev", name)
        })),
    }
}

fn features(spec: &DomainSpec) -> Element {
    let x86 = matches!(spec.arch.as_str(), "x86_64" | "i686");
    let mut features = element("features");
    if spec.acpi {
        features = features.child(element("acpi"));
    }
    if x86 {
        features = features.child(element("apic"));
    }
    if let Accel::Tcg { tb_cache_mib: Some(size) } = spec.accel {
        features = features.child(element("tcg").child(element("tb-cache").attr("unit", "MiB").text(size)));
    }
    features
}

fn cpu(spec: &DomainSpec) -> Option<Element> {
    let topology = spec.topology.map(|topology| {
        element("topology").attr("sockets", topology.sockets).attr("cores", topology.cores).attr("threads", topology.threads)
    });
    let mode = |mode| element("cpu").attr("mode", mode).attr("check", "none");
    match &spec.cpu {
        Cpu::Default => topology.map(|topology| element("cpu").child(topology)),
        Cpu::HostPassthrough => Some(mode("host-passthrough").children(topology)),
        Cpu::HostModel => Some(mode("host-model").children(topology)),
        Cpu::Maximum => Some(mode("maximum").children(topology)),
        Cpu::Named { model, features } => {
            let model = element("model").attr("fallback", "forbid").text(model);
            let features = features
                .iter()
                .map(|(name, wanted)| element("feature").attr("policy", if *wanted { "require" } else { "disable" }).attr("name", name));
            let cpu = element("cpu").attr("mode", "custom").attr("match", "exact").attr("check", "none");
            Some(cpu.child(model).children(topology).children(features))
        }
    }
}

fn security(security: &Security) -> Option<Element> {
    match security {
        Security::Default => None,
        Security::None => Some(element("seclabel").attr("type", "none")),
        Security::User { user, group } => {
            // "+" would mean a number; libvirt resolves names
            let label = format!("{user}:{}", group.as_deref().unwrap_or(user));
            let dac = element("seclabel").attr("type", "static").attr("model", "dac").attr("relabel", "no");
            Some(dac.child(element("label").text(label)))
        }
    }
}

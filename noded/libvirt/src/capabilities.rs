//! What guests can be run on this node.

use crate::live::Tree;
use crate::worker::Call;
use crate::{Accel, Error};

/// Asked from libvirt, which asked QEMU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Hardware virtualisation works; otherwise guests are emulated (`Accel::Tcg`).
    pub kvm: bool,
    /// Why `kvm` is false, in libvirt's words.
    pub kvm_missing: Option<String>,
    /// Path of the QEMU binary for this node's own architecture.
    pub emulator: String,
    pub arch: String,
    /// The machine type behind the default (`pc-i440fx-7.2`).
    pub machine: String,
    /// All machine types of that architecture.
    pub machines: Vec<String>,
    pub max_vcpus: u32,
    /// CPU models that can be named, sorted.
    pub cpu_models: Vec<String>,
}

impl Capabilities {
    /// The best accelerator here; `tb_cache_mib` bounds the translation cache of emulated guests.
    pub fn accel(&self, tb_cache_mib: Option<u32>) -> Accel {
        if self.kvm { Accel::Kvm } else { Accel::Tcg { tb_cache_mib } }
    }
}

/// Blocking; seconds with a cold cache.
pub(crate) fn probe(call: &Call<'_>) -> Result<Capabilities, Error> {
    let ask = |kind| call.check(call.conn.domain_capabilities(None, None, None, Some(kind), 0));
    let (kvm_missing, xml) = match ask("kvm") {
        Ok(xml) => (None, xml),
        Err(error @ Error::Libvirt { .. }) if !error.is_disconnected() => (Some(error), ask("qemu")?),
        Err(error) => return Err(error),
    };
    let host = call.check(call.conn.capabilities())?;
    parse(&xml, &host, kvm_missing)
}

fn parse(domain: &str, host: &str, kvm_missing: Option<Error>) -> Result<Capabilities, Error> {
    let tree = Tree::parse("domain capabilities", domain)?;
    let text = |path| tree.text(path).ok_or_else(|| Error::Parse { what: "domain capabilities", reason: format!("no {path}") });
    let arch = text("arch")?;
    let mut cpu_models: Vec<String> = tree
        .all("cpu/mode")
        .filter(|mode| mode.attr("name") == Some("custom"))
        .flat_map(|mode| mode.all("model").filter_map(|model| model.text("")))
        .collect();
    cpu_models.sort();
    let host = Tree::parse("capabilities", host)?;
    let mut machines: Vec<String> = host
        .all("guest/arch")
        .filter(|guest| guest.attr("name") == Some(&arch))
        .flat_map(|guest| guest.all("machine").filter_map(|machine| machine.text("")))
        .collect();
    machines.sort();
    machines.dedup();
    Ok(Capabilities {
        kvm: kvm_missing.is_none(),
        kvm_missing: kvm_missing.map(|error| match error {
            Error::Libvirt { message, .. } => message,
            other => other.to_string(),
        }),
        emulator: text("path")?,
        machine: text("machine")?,
        max_vcpus: tree.all("vcpu").next().and_then(|vcpu| vcpu.attr("max")).and_then(|max| max.parse().ok()).unwrap_or(1),
        arch,
        machines,
        cpu_models,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAIN: &str = "<domainCapabilities><path>/usr/bin/qemu-system-x86_64</path><domain>qemu</domain>\
        <machine>pc-i440fx-7.2</machine><arch>x86_64</arch><vcpu max='255'/>\
        <cpu><mode name='host-model' supported='yes'><model>ignored</model></mode>\
        <mode name='custom' supported='yes'><model usable='yes'>qemu64</model><model usable='no'>Haswell</model></mode></cpu>\
        </domainCapabilities>";
    const HOST: &str = "<capabilities><guest><arch name='i686'><machine>isapc</machine></arch></guest>\
        <guest><arch name='x86_64'><machine>q35</machine><machine canonical='x'>pc</machine><machine>pc</machine></arch></guest>\
        </capabilities>";

    #[test]
    fn read_from_xml() {
        let found = parse(DOMAIN, HOST, None).unwrap();
        assert!(found.kvm);
        assert_eq!(found.emulator, "/usr/bin/qemu-system-x86_64");
        assert_eq!(found.machines, ["pc", "q35"]);
        assert_eq!(found.cpu_models, ["Haswell", "qemu64"]);
        assert_eq!(found.max_vcpus, 255);
        assert_eq!(found.accel(Some(32)), Accel::Kvm);
    }

    #[test]
    fn without_kvm() {
        let refused =
            Error::Libvirt { call: "capabilities", domain: String::new(), code: 8, origin: 10, message: "KVM is not supported".into() };
        let found = parse(DOMAIN, HOST, Some(refused)).unwrap();
        assert_eq!(found.kvm_missing.as_deref(), Some("KVM is not supported"));
        assert_eq!(found.accel(Some(32)), Accel::Tcg { tb_cache_mib: Some(32) });
    }

    #[test]
    fn nonsense_is_an_error() {
        assert!(matches!(parse("<a/>", HOST, None), Err(Error::Parse { .. })));
        assert!(matches!(parse("not xml <", HOST, None), Err(Error::Parse { .. })));
    }
}

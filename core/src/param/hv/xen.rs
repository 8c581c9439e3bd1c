//! Parameters of Xen.

use super::{Check, HvParam, NodeCheck};

/// Full virtualization; sorted by name.
pub(super) const HVM: &[HvParam] = &[
    HvParam::bool("acpi", true),
    HvParam::text("blockdev_prefix", "hd"),
    HvParam::text("boot_order", "cd").check(Check::BootLetters).required(),
    HvParam::path("cdrom_image_path", "", NodeCheck::File),
    HvParam::int("cpu_cap", 0),
    HvParam::text("cpu_mask", "all").check(Check::MultiCpuMask),
    HvParam::int("cpu_weight", 256).check(Check::Range(1, 65534, "invalid weight")),
    HvParam::text("cpuid", ""),
    HvParam::path("device_model", "/usr/lib/xen/bin/qemu-dm", NodeCheck::File).required(),
    HvParam::text("disk_type", "paravirtual").one_of(&["ioemu", "paravirtual"]).required(),
    HvParam::path("kernel_path", "/usr/lib/xen/boot/hvmloader", NodeCheck::File).required(),
    HvParam::text("migration_mode", "non-live").check(Check::MigrationMode).required(),
    HvParam::int("migration_port", 8002).check(Check::Range(1, 65534, "invalid port number")).required(),
    HvParam::text("nic_type", "rtl8139").one_of(&["e1000", "ne2k_isa", "ne2k_pci", "paravirtual", "rtl8139"]).required(),
    HvParam::bool("pae", true),
    HvParam::text("pci_pass", ""),
    HvParam::text("reboot_behavior", "reboot").one_of(&["exit", "reboot"]).required(),
    HvParam::text("soundhw", ""),
    HvParam::bool("use_localtime", false),
    HvParam::path("vif_script", "", NodeCheck::File),
    HvParam::text("vif_type", "ioemu").one_of(&["ioemu", "vif"]),
    HvParam::bool("viridian", false),
    HvParam::text("vnc_bind_address", "0.0.0.0").check(Check::Ipv4),
    HvParam::path("vnc_password_file", "/etc/ganeti/vnc-cluster-password", NodeCheck::File).required(),
];

/// Paravirtualization; sorted by name.
pub(super) const PVM: &[HvParam] = &[
    HvParam::text("blockdev_prefix", "sd"),
    HvParam::text("bootloader_args", ""),
    HvParam::path("bootloader_path", "", NodeCheck::File),
    HvParam::int("cpu_cap", 0).check(Check::NotNegative),
    HvParam::text("cpu_mask", "all").check(Check::MultiCpuMask),
    HvParam::int("cpu_weight", 256).check(Check::Range(1, 65535, "invalid weight")),
    HvParam::text("cpuid", ""),
    HvParam::path("initrd_path", "", NodeCheck::File),
    HvParam::text("kernel_args", "ro"),
    HvParam::path("kernel_path", "/boot/vmlinuz-3-xenU", NodeCheck::File).required(),
    HvParam::text("migration_mode", "live").check(Check::MigrationMode).required(),
    HvParam::int("migration_port", 8002).check(Check::Range(1, 65534, "invalid port number")).required(),
    HvParam::text("reboot_behavior", "reboot").one_of(&["exit", "reboot"]).required(),
    HvParam::maybe_text("root_path", "/dev/xvda1"),
    HvParam::text("soundhw", ""),
    HvParam::bool("use_bootloader", false),
    HvParam::path("vif_script", "", NodeCheck::File),
];

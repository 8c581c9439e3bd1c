//! Parameters of the small hypervisors.

use super::{Check, HvParam, NodeCheck};

/// Chroots.
pub(super) const CHROOT: &[HvParam] = &[HvParam::path("init_script", "/ganeti-chroot", NodeCheck::Directory).required()];

/// The fake hypervisor.
pub(super) const FAKE: &[HvParam] = &[HvParam::text("migration_mode", "live").check(Check::MigrationMode).required()];

/// Linux containers; sorted by name.
pub(super) const LXC: &[HvParam] = &[
    HvParam::text("cpu_mask", "").check(Check::CpuMask),
    HvParam::text("devices", "c 1:3 rw,c 1:5 rw,c 1:7 rw,c 1:8 rw,c 1:9 rw,c 1:10 rw,c 5:0 rw,c 5:1 rw,c 5:2 rw,c 136:* rw"),
    HvParam::text("drop_capabilities", "mac_override,sys_boot,sys_module,sys_time,sys_admin"),
    HvParam::text("extra_cgroups", ""),
    HvParam::text("extra_config", ""),
    HvParam::int("num_ttys", 6).check(Check::NotNegative).required(),
    HvParam::int("startup_timeout", 30).check(Check::NotNegative),
];

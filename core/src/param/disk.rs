//! Parameters of disk templates, and what can be asked of a disk.

use serde::{Deserialize, Serialize};

use super::{DiskTemplate, Param};
use crate::config::ParamMap;

const DRBD: &[Param] = &[
    Param::int("c-delay-target", 1),
    Param::int("c-fill-target", 0),
    Param::int("c-max-rate", 61440),
    Param::int("c-min-rate", 4096),
    Param::int("c-plan-ahead", 20),
    Param::int("data-stripes", 1),
    Param::text("disk-barriers", "n"),
    Param::text("disk-custom", ""),
    Param::bool("dynamic-resync", false),
    Param::bool("meta-barriers", false),
    Param::int("meta-stripes", 1),
    Param::text("metavg", "xenvg"),
    Param::text("net-custom", ""),
    Param::text("protocol", "C"),
    Param::int("resync-rate", 61440),
];

const EXT: &[Param] = &[Param::text("access", "kernelspace")];

const GLUSTER: &[Param] =
    &[Param::text("access", "kernelspace"), Param::text("host", "127.0.0.1"), Param::int("port", 24007), Param::text("volume", "gv0")];

const PLAIN: &[Param] = &[Param::int("stripes", 1)];

const RBD: &[Param] = &[Param::text("access", "kernelspace"), Param::text("pool", "rbd")];

/// Combinations of barriers that DRBD can be told to leave out: `n` none, `b` barriers, `f` flushes, `d` drain.
pub const DRBD_BARRIERS: &[&str] = &["n", "b", "bf", "bd", "bdf", "d", "df", "f"];

/// Parameters of the disks of one template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DiskParams(pub ParamMap);

/// All parameters of a template.
#[must_use]
pub fn table(template: DiskTemplate) -> &'static [Param] {
    match template {
        DiskTemplate::Drbd => DRBD,
        DiskTemplate::Ext => EXT,
        DiskTemplate::Gluster => GLUSTER,
        DiskTemplate::Plain => PLAIN,
        DiskTemplate::Rbd => RBD,
        DiskTemplate::BlockDev | DiskTemplate::Diskless | DiskTemplate::File | DiskTemplate::SharedFile => &[],
    }
}

/// What a request for a new disk can say; for `ext` other names go to the storage provider.
pub const CREATE_TABLE: &[Param] = &[
    Param::text("access", ""),
    Param::text("adopt", ""),
    Param::text("dev_type", ""),
    Param::text("metavg", ""),
    Param::text("mode", "rw"),
    Param::maybe_text("name", ""),
    Param::text("provider", ""),
    Param::size("size", 0),
    Param::int("spindles", 0),
    Param::text("vg", ""),
];

/// What can be modified of an existing disk.
pub const MODIFY_TABLE: &[Param] = &[Param::text("mode", "rw"), Param::text("name", "")];

//! Smaller instances, by what is scarce.

use crate::fail::FailMode;
use crate::instance::Instance;

/// Memory is taken away in these pieces, in MiB.
const MEMORY: i64 = 64;
/// Disk space is, in MiB.
const DISK: i64 = 256;
/// Virtual CPUs and spindles are.
const ONE: i64 = 1;

/// The next smaller instance; `None` when it is as small as can be, or smaller ones would not help.
pub(super) fn shrink(instance: &Instance, scarce: FailMode) -> Option<Instance> {
    let mut new = instance.clone();
    let less = |value: i64, by: i64| Some(value - by).filter(|less| *less >= by);
    match scarce {
        FailMode::Memory => new.memory = less(instance.memory, MEMORY)?,
        FailMode::Cpu => new.vcpus = less(instance.vcpus, ONE)?,
        FailMode::Disk => {
            for disk in &mut new.disks {
                disk.size = less(disk.size, DISK)?;
                new.disk -= DISK;
            }
        }
        FailMode::Spindles => match new.disks.as_mut_slice() {
            [only] => only.spindles = Some(less(only.spindles?, ONE)?),
            _ => return None,
        },
        FailMode::GlobalN1 | FailMode::Tags | FailMode::Migration | FailMode::DiskCount | FailMode::Internal => return None,
    }
    Some(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Size;
    use gannet_core::param::DiskTemplate;

    #[test]
    fn sizes_shrink_to_one_piece() {
        let size = Size { memory: 130, disk: 700, vcpus: 2, spindles: 1 };
        let instance = size.instance(DiskTemplate::Plain, 1);
        let smaller = |scarce| shrink(&instance, scarce).map(|instance| Size::of(&instance));
        assert_eq!(smaller(FailMode::Memory), Some(Size { memory: 66, ..size }));
        assert_eq!(smaller(FailMode::Disk), Some(Size { disk: 444, ..size }));
        assert_eq!(smaller(FailMode::Cpu), Some(Size { vcpus: 1, ..size }));
        assert_eq!(smaller(FailMode::Spindles), None);
        assert_eq!(smaller(FailMode::GlobalN1), None);
        let least = Size { memory: 66, ..size }.instance(DiskTemplate::Plain, 1);
        assert_eq!(shrink(&least, FailMode::Memory), None);
    }
}

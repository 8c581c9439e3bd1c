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
    shrink_by(instance, scarce, 1)
}

/// The largest of the smaller instances whose memory, or else disk space, is below `bound`; the next one where neither is scarce.
pub(super) fn shrink_below(instance: &Instance, scarce: FailMode, bound: i64) -> Option<Instance> {
    let pieces = |value: i64, piece: i64| value.saturating_sub(bound).max(0) / piece + 1;
    match scarce {
        FailMode::Memory => shrink_by(instance, scarce, pieces(instance.memory, MEMORY)),
        FailMode::Disk => shrink_by(instance, scarce, pieces(instance.disk, DISK)),
        _ => shrink(instance, scarce),
    }
}

/// Smaller by so many pieces.
fn shrink_by(instance: &Instance, scarce: FailMode, pieces: i64) -> Option<Instance> {
    let mut new = instance.clone();
    let less = |value: i64, piece: i64| Some(value.saturating_sub(piece.saturating_mul(pieces))).filter(|less| *less >= piece);
    match scarce {
        FailMode::Memory => new.memory = less(instance.memory, MEMORY)?,
        FailMode::Cpu => new.vcpus = less(instance.vcpus, ONE)?,
        FailMode::Disk => {
            for disk in &mut new.disks {
                let smaller = less(disk.size, DISK)?;
                new.disk -= disk.size - smaller;
                disk.size = smaller;
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
    fn many_pieces_end_just_below_a_bound() {
        let instance = Size { memory: 1000, disk: 5000, vcpus: 1, spindles: 1 }.instance(DiskTemplate::Plain, 1);
        for bound in [i64::MIN, 1, 100, 500, 936, 937, 999, 1000, 2000] {
            let mut wanted = shrink(&instance, FailMode::Memory);
            while wanted.as_ref().is_some_and(|instance| instance.memory >= bound) {
                wanted = wanted.and_then(|instance| shrink(&instance, FailMode::Memory));
            }
            assert_eq!(shrink_below(&instance, FailMode::Memory, bound), wanted, "{bound}");
        }
        assert_eq!(shrink_below(&instance, FailMode::Disk, 4000).map(|instance| instance.disk), Some(3976));
    }

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

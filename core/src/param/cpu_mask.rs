//! CPU masks: which CPUs of its node a guest may use.

use std::collections::BTreeSet;

/// CPUs above this number are refused, so that a mask cannot ask for a list without end.
pub const MAX_CPU: u32 = 16_383;

/// The CPUs for one virtual CPU, or for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CpuSet {
    /// Any CPU.
    All,
    /// These CPUs; empty means the hypervisor chooses.
    Cpus(BTreeSet<u32>),
}

/// Reads `0-2,5`. `None` when it is malformed.
#[must_use]
pub fn parse_cpu_mask(mask: &str) -> Option<BTreeSet<u32>> {
    if mask.is_empty() {
        return Some(BTreeSet::new());
    }
    let mut cpus = BTreeSet::new();
    for range in mask.split(',') {
        let (lower, higher) = range.split_once('-').unwrap_or((range, range));
        let (lower, higher): (u32, u32) = (lower.trim().parse().ok()?, higher.trim().parse().ok()?);
        if lower > higher || higher > MAX_CPU {
            return None;
        }
        cpus.extend(lower..=higher);
    }
    Some(cpus)
}

/// Reads `0-2,5:all:1`, one part per virtual CPU. `None` when it is malformed.
#[must_use]
pub fn parse_multi_cpu_mask(mask: &str) -> Option<Vec<CpuSet>> {
    if mask.is_empty() {
        return Some(Vec::new());
    }
    let part = |part| if part == "all" { Some(CpuSet::All) } else { parse_cpu_mask(part).map(CpuSet::Cpus) };
    mask.split(':').map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks() {
        assert_eq!(parse_cpu_mask("0-2,5"), Some(BTreeSet::from([0, 1, 2, 5])));
        assert_eq!(parse_multi_cpu_mask("all:1"), Some(vec![CpuSet::All, CpuSet::Cpus(BTreeSet::from([1]))]));
        for wrong in ["a", "2-1", "1-2-3", "-1", "1,", "0-4000000000"] {
            assert_eq!(parse_cpu_mask(wrong), None, "{wrong}");
            assert_eq!(parse_multi_cpu_mask(wrong), None, "{wrong}");
        }
    }
}

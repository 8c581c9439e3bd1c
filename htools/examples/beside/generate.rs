//! Clusters of any size, as texts: one group, drbd instances of a few sizes, placed at random.

use std::fmt::Write as _;

/// A generator of numbers that is the same everywhere (PCG, 32 bits).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (((self.0 >> 18) ^ self.0) >> 27) as u32;
        mixed.rotate_right((self.0 >> 59) as u32) as usize % limit
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// `nodes` equal nodes with `instances` instances on them. Some nodes come first more often, so that there is something to balance.
pub(crate) fn cluster(nodes: usize, instances: usize, seed: u64) -> String {
    let mut chance = Chance(seed);
    let (mut memory, mut disk) = (vec![64 * 1024 - 1024_usize; nodes], vec![4 * 1024 * 1024_usize; nodes]);
    let mut lines = String::new();
    for at in 0..instances {
        let (size, space, vcpus) = (chance.one_of(&[512, 1024, 2048, 4096]), chance.one_of(&[10_240, 20_480, 51_200]), 1 + chance.below(4));
        let first = chance.below(nodes).min(chance.below(nodes));
        let fits = |node: usize| memory[node] > size + 1024 && disk[node] > space + 1024;
        let Some(primary) = (0..nodes).map(|step| (first + step) % nodes).find(|node| fits(*node)) else { continue };
        let second = chance.below(nodes - 1);
        let Some(secondary) = (0..nodes)
            .map(|step| (primary + 1 + (second + step) % (nodes - 1)) % nodes)
            .find(|node| *node != primary && disk[*node] > space + 1024)
        else {
            continue;
        };
        memory[primary] -= size;
        disk[primary] -= space;
        disk[secondary] -= space;
        let _ = writeln!(lines, "instance{at:05}|{size}|{space}|{vcpus}|running|Y|node{primary:04}|node{secondary:04}|drbd||1|-");
    }
    let mut text = "default|uuid-1|preferred||\n\n".to_owned();
    for at in 0..nodes {
        let state = if at == 0 { 'M' } else { 'N' };
        let _ = writeln!(text, "node{at:04}|65536|1024|{}|4194304|{}|32|{state}|uuid-1|8||N|0|1|1.00", memory[at], disk[at]);
    }
    text + "\n" + &lines + "\n\n"
}

//! Which /24 a lab uses. Picked by its directory, so that a lab keeps its addresses and labs side by side differ;
//! the next one is tried when that range is in use on this machine.

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// The first three bytes of an address range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefix([u8; 3]);

/// Ranges tried before giving up.
const TRIES: u64 = 200;
/// A daemon port (noded's) that says whether a loopback range is taken: every cluster has it on its first node.
const PROBE_PORT: u16 = 1811;

impl Prefix {
    pub fn address(self, last: u8) -> Ipv4Addr {
        let [a, b, c] = self.0;
        Ipv4Addr::new(a, b, c, last)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{a}.{b}.{c}")
    }
}

/// A range of 10.77.0.0/16 that no route of this machine covers.
pub fn free_private(hash: u64) -> Result<Prefix> {
    let routes = fs::read_to_string("/proc/net/route").unwrap_or_default();
    pick(hash, |try_at| Prefix([10, 77, (try_at % 256) as u8]), |prefix| !is_routed(&routes, prefix))
}

/// A range of 127.0.0.0/8 on whose first address nothing listens.
pub fn free_loopback(hash: u64) -> Result<Prefix> {
    pick(
        hash,
        // Not 127.0 to 127.15: other programs use these.
        |try_at| Prefix([127, 16 + (try_at % 224) as u8, (try_at / 224 % 256) as u8]),
        |prefix| TcpListener::bind((prefix.address(1), PROBE_PORT)).is_ok(),
    )
}

fn pick(hash: u64, prefix: impl Fn(u64) -> Prefix, is_free: impl Fn(Prefix) -> bool) -> Result<Prefix> {
    match (0..TRIES).map(|offset| prefix(hash.wrapping_add(offset))).find(|candidate| is_free(*candidate)) {
        Some(prefix) => Ok(prefix),
        None => bail!("no free address range for a lab: {} and {} others are in use; stop some labs", prefix(hash), TRIES - 1),
    }
}

/// Whether a route other than the default one covers the range (`/proc/net/route`: little-endian hexadecimal words).
fn is_routed(routes: &str, prefix: Prefix) -> bool {
    let wanted = u32::from(prefix.address(1));
    routes.lines().skip(1).any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let word = |at: usize| fields.get(at).and_then(|f| u32::from_str_radix(f, 16).ok()).map(u32::swap_bytes);
        matches!((word(1), word(7)), (Some(net), Some(mask)) if mask != 0 && wanted & mask == net & mask)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_cover_ranges() {
        let routes = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
                      eth0 00000000 0100A8C0 0003 0 0 0 00000000 0 0 0\n\
                      gd1 00054D0A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n";
        assert!(is_routed(routes, Prefix([10, 77, 5])));
        assert!(!is_routed(routes, Prefix([10, 77, 6])), "the default route covers nothing");
    }

    #[test]
    fn the_next_range_is_taken_when_one_is_in_use() {
        let first = free_loopback(12_345).expect("free");
        let _listener = TcpListener::bind((first.address(1), PROBE_PORT)).expect("free a moment ago");
        assert_ne!(free_loopback(12_345).expect("another"), first);
    }
}

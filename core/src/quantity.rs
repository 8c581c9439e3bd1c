//! Quantities with their unit in the type.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// An amount of memory or disk in MiB, Ganeti's unit everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mib(pub u64);

impl Mib {
    /// The amount in bytes; saturates.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0.saturating_mul(1 << 20)
    }

    /// Rounds bytes down to whole MiB.
    #[must_use]
    pub fn from_bytes_floor(bytes: u64) -> Self {
        Self(bytes >> 20)
    }

    /// The difference, zero when `other` is larger.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Mib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB", self.0)
    }
}

impl Add for Mib {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Mib {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Mib {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl Sum for Mib {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), Add::add)
    }
}

/// A point in time, in microseconds since 1970 (UTC). On the wire Ganeti writes `[seconds, microseconds]` in jobs and a
/// float of seconds in configuration objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// As a float of seconds, the form of `ctime` and `mtime`.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// From a float of seconds.
    #[must_use]
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self((seconds * 1e6).round() as i64)
    }

    /// Whole seconds and the microseconds beyond them.
    #[must_use]
    pub fn split(self) -> (i64, i64) {
        (self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000))
    }

    /// Nanoseconds since 1970, the form of reason trails.
    #[must_use]
    pub fn as_nanos(self) -> i64 {
        self.0.saturating_mul(1000)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.split().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (seconds, micros) = <(i64, i64)>::deserialize(deserializer)?;
        Ok(Self(seconds.saturating_mul(1_000_000).saturating_add(micros)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_pairs() {
        let time = Timestamp(1_700_000_000_123_456);
        assert_eq!(serde_json::to_string(&time).unwrap(), "[1700000000,123456]");
        assert_eq!(serde_json::from_str::<Timestamp>("[1700000000,123456]").unwrap(), time);
    }
}

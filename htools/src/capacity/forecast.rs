//! When a cluster is full, if instances of one size come at a steady rate.

use serde::Serialize;

use super::Totals;

/// Parts of the resources that are taken, from 0 to 1; not a number where there is no such resource.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Taken {
    /// Of the memory.
    pub memory: f64,
    /// Of the disk space.
    pub disk: f64,
    /// Of the virtual CPUs that the policies allow.
    pub vcpus: f64,
}

/// How the cluster fills.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Forecast {
    /// Instances that still fit.
    pub fits: usize,
    /// What is taken now.
    pub now: Taken,
    /// What is taken when no more fit.
    pub full: Taken,
    /// Instances a day.
    pub rate: Option<f64>,
    /// Days until the first one that does not fit.
    pub full_in_days: Option<f64>,
}

impl Taken {
    fn of(totals: &Totals) -> Self {
        Self { memory: totals.memory_efficiency(), disk: totals.disk_efficiency(), vcpus: totals.cpu_efficiency() }
    }
}

impl Forecast {
    /// From a cluster `before` to the same one with `fits` more instances. `rate`: instances a day, above 0.
    #[must_use]
    pub fn new(before: &Totals, after: &Totals, fits: usize, rate: Option<f64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "instances are counted in millions at most")]
        let days = rate.map(|rate| fits as f64 / rate);
        Self { fits, now: Taken::of(before), full: Taken::of(after), rate, full_in_days: days }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_from_the_rate() {
        let empty = Totals { memory: 1000.0, disk: 2000.0, vcpus: 10, ..Totals::default() };
        let full = Totals { instance_memory: 900, instance_disk: 500, instance_vcpus: 10, ..empty };
        let forecast = Forecast::new(&empty, &full, 9, Some(1.5));
        assert_eq!(forecast.full_in_days, Some(6.0));
        assert_eq!(forecast.full, Taken { memory: 0.9, disk: 0.25, vcpus: 1.0 });
        assert_eq!(Forecast::new(&empty, &full, 9, None).full_in_days, None);
    }
}

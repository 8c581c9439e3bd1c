//! Instance policies: how large instances may be, and what may share a node.

mod change;
mod violation;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::DiskTemplate;

pub use change::{IPolicyError, changed};
pub use violation::{InstanceSpec, violations};

/// Sizes of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Spec {
    /// Virtual CPUs.
    pub cpu_count: u64,
    /// Number of disks.
    pub disk_count: u64,
    /// Size of each disk, in MiB.
    pub disk_size: u64,
    /// Memory, in MiB.
    pub memory_size: u64,
    /// Number of NICs.
    pub nic_count: u64,
    /// Spindles.
    pub spindle_use: u64,
}

impl Spec {
    /// Names of the sizes on the wire, sorted.
    pub const NAMES: [&'static str; 6] = ["cpu-count", "disk-count", "disk-size", "memory-size", "nic-count", "spindle-use"];

    /// Built-in smallest instance, also the built-in standard one.
    pub const DEFAULT_MIN: Self = Self { cpu_count: 1, disk_count: 1, disk_size: 1024, memory_size: 128, nic_count: 1, spindle_use: 1 };
    /// Built-in largest instance.
    pub const DEFAULT_MAX: Self =
        Self { cpu_count: 8, disk_count: 16, disk_size: 1_048_576, memory_size: 32_768, nic_count: 8, spindle_use: 12 };

    /// Name and value of each size, in the order of [`Spec::NAMES`].
    #[must_use]
    pub fn entries(&self) -> [(&'static str, u64); 6] {
        let values = [self.cpu_count, self.disk_count, self.disk_size, self.memory_size, self.nic_count, self.spindle_use];
        std::array::from_fn(|i| (Self::NAMES[i], values[i]))
    }

    fn set(&mut self, name: &str, value: u64) {
        match name {
            "cpu-count" => self.cpu_count = value,
            "disk-count" => self.disk_count = value,
            "disk-size" => self.disk_size = value,
            "memory-size" => self.memory_size = value,
            "nic-count" => self.nic_count = value,
            "spindle-use" => self.spindle_use = value,
            _ => {}
        }
    }
}

/// A range of sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinMax {
    /// Largest sizes.
    pub max: Spec,
    /// Smallest sizes.
    pub min: Spec,
}

/// A policy in which everything is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IPolicy {
    /// Disk templates instances may use.
    pub disk_templates: Vec<DiskTemplate>,
    /// Ranges; an instance has to fit one of them. Never empty.
    pub minmax: Vec<MinMax>,
    /// Instances per spindle.
    pub spindle_ratio: f64,
    /// The instance that capacity is counted in.
    pub std: Spec,
    /// Virtual CPUs per CPU.
    pub vcpu_ratio: f64,
}

impl Default for IPolicy {
    fn default() -> Self {
        Self {
            disk_templates: DiskTemplate::ALL.to_vec(),
            minmax: vec![MinMax { max: Spec::DEFAULT_MAX, min: Spec::DEFAULT_MIN }],
            spindle_ratio: 32.0,
            std: Spec::DEFAULT_MIN,
            vcpu_ratio: 4.0,
        }
    }
}

/// A policy in which what is absent is inherited.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PartialIPolicy {
    /// See [`IPolicy::disk_templates`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_templates: Option<Vec<DiskTemplate>>,
    /// See [`IPolicy::minmax`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minmax: Option<Vec<MinMax>>,
    /// See [`IPolicy::spindle_ratio`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spindle_ratio: Option<f64>,
    /// Some sizes of [`IPolicy::std`]; groups cannot set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std: Option<BTreeMap<String, u64>>,
    /// See [`IPolicy::vcpu_ratio`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vcpu_ratio: Option<f64>,
}

impl IPolicy {
    /// The policy with everything that `inner` sets replaced.
    #[must_use]
    pub fn overlaid(mut self, inner: &PartialIPolicy) -> Self {
        for (name, value) in inner.std.iter().flatten() {
            self.std.set(name, *value);
        }
        Self {
            disk_templates: inner.disk_templates.clone().unwrap_or(self.disk_templates),
            minmax: inner.minmax.clone().unwrap_or(self.minmax),
            spindle_ratio: inner.spindle_ratio.unwrap_or(self.spindle_ratio),
            std: self.std,
            vcpu_ratio: inner.vcpu_ratio.unwrap_or(self.vcpu_ratio),
        }
    }

    /// Whether the policy makes sense. The wording is Ganeti's.
    ///
    /// # Errors
    /// A range is empty, no range holds `std`, or nothing is allowed.
    pub fn check(&self) -> Result<(), IPolicyError> {
        check_minmax(&self.minmax)?;
        check_templates(&self.disk_templates)?;
        let holds_std = |range: &MinMax| {
            let limits = range.min.entries().into_iter().zip(range.max.entries());
            limits.zip(self.std.entries()).all(|(((_, min), (_, max)), (_, std))| (min..=max).contains(&std))
        };
        if self.minmax.iter().any(holds_std) { Ok(()) } else { Err(IPolicyError::Std) }
    }
}

impl PartialIPolicy {
    /// Whether what is set makes sense, for the policy of a group.
    ///
    /// # Errors
    /// A range is empty, or no disk template is allowed.
    pub fn check(&self) -> Result<(), IPolicyError> {
        self.minmax.as_deref().map_or(Ok(()), check_minmax)?;
        self.disk_templates.as_deref().map_or(Ok(()), check_templates)
    }
}

fn check_minmax(ranges: &[MinMax]) -> Result<(), IPolicyError> {
    if ranges.is_empty() {
        return Err(IPolicyError::NoRange);
    }
    for range in ranges {
        for ((name, min), (_, max)) in range.min.entries().into_iter().zip(range.max.entries()) {
            if min > max {
                return Err(IPolicyError::Range { name, min, max });
            }
        }
    }
    Ok(())
}

fn check_templates(templates: &[DiskTemplate]) -> Result<(), IPolicyError> {
    if templates.is_empty() { Err(IPolicyError::NoTemplate) } else { Ok(()) }
}

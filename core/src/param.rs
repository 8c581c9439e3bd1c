//! Parameters of hypervisors, backend, NICs, disks, nodes and policies: what there is, what it may hold, and how a
//! value is inherited. Everything here is a function of values.

pub mod be;
pub mod disk;
pub mod fill;
pub mod hv;
pub mod ipolicy;
pub mod nd;
pub mod nic;

mod closed_set;
mod cpu_mask;
mod kind;
mod table;
mod unit;

#[cfg(test)]
mod parity_test;

pub(crate) use closed_set::closed_set;

pub use closed_set::UnknownWord;
pub use cpu_mask::{CpuSet, MAX_CPU, parse_cpu_mask, parse_multi_cpu_mask};
pub use fill::{Filled, HvLayers};
pub use kind::{AllocPolicy, DiskTemplate, FileDriver, HypervisorKind, MigrationMode, NicMode, StorageType};
pub use table::{Change, INHERIT, Kind, Param, ParamDefault, TypeError, changed, check_changes, check_names_and_types, defaults, shown};
pub use unit::{GRANULARITY_MIB, UnitParseError, parse_unit};

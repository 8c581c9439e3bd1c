//! Parameters of hypervisors, backend, NICs, disks, nodes and policies: what there is, what it may hold, and how a
//! value is inherited. Everything here is a function of values.

mod closed_set;
mod kind;
mod unit;

pub(crate) use closed_set::closed_set;

pub use closed_set::UnknownWord;
pub use kind::{AllocPolicy, DiskTemplate, FileDriver, HypervisorKind, MigrationMode, NicMode, StorageType};
pub use unit::{GRANULARITY_MIB, UnitParseError, parse_unit};

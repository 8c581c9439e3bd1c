//! Numbers, tables and lists in the form of the reference.

pub mod haskell;
pub mod instances;
pub mod nodes;
pub mod number;
pub mod policy;
pub mod score;
pub mod table;

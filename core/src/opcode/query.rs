//! Opcodes about queries.

mod fields;
mod items;
mod resource;

pub use fields::QueryFields;
pub use items::Query;
pub use resource::QueryResource;

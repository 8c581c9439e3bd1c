//! Opcodes about tags.

mod del;
mod get;
mod kind;
mod search;
mod set;

pub use del::TagsDel;
pub use get::TagsGet;
pub use kind::TagKind;
pub use search::TagsSearch;
pub use set::TagsSet;

//! Repairs of instances by themselves: what their tags allow, what they say of earlier repairs, and what is broken.
//!
//! The state of a repair is in tags of its instance, so that nothing else has to be kept between two runs.

pub mod broken;
pub mod policy;
pub mod record;
pub mod status;

pub use broken::{Repair, broken};
pub use policy::{Kind, Policy, policies};
pub use record::{Outcome, Record};
pub use status::{Patient, Status};

/// What all tags about repairs begin with.
pub const PREFIX: &str = "ganeti:watcher:autorepair:";

/// What follows a prefix of tags that ends with a colon. The tag without that colon has nothing after it.
fn after<'a>(tag: &'a str, prefix: &str) -> Option<&'a str> {
    tag.strip_prefix(prefix).or_else(|| (prefix.strip_suffix(':') == Some(tag)).then_some(""))
}

/// A whole number. One that is too large to be a time is the largest or smallest one.
fn number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
}

//! Values in the notation of the reference's language, which some of its messages show.

use gannet_core::param::AllocPolicy;

use super::policy::policy;
use crate::cluster::Cluster;
use crate::id::GroupId;

/// A text in quotes.
#[must_use]
pub fn string(text: &str) -> String {
    let mut shown = String::from("\"");
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => shown.push_str("\\\""),
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            ' '..='~' => shown.push(letter),
            other => {
                shown.push_str(&format!("\\{}", u32::from(other)));
                // A digit that follows would belong to the number.
                if letters.peek().is_some_and(char::is_ascii_digit) {
                    shown.push_str("\\&");
                }
            }
        }
    }
    shown + "\""
}

/// Texts as a list.
#[must_use]
pub fn strings(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| string(text)).collect::<Vec<_>>().join(","))
}

/// A group.
#[must_use]
pub fn group(cluster: &Cluster, id: GroupId) -> String {
    let group = cluster.group(id);
    let alloc_policy = match group.alloc_policy {
        AllocPolicy::Preferred => "AllocPreferred",
        AllocPolicy::LastResort => "AllocLastResort",
        AllocPolicy::Unallocable => "AllocUnallocable",
    };
    format!(
        "Group {{name = {}, uuid = {}, idx = {}, allocPolicy = {alloc_policy}, networks = {}, iPolicy = {}, allTags = {}}}",
        string(&group.name),
        string(&group.uuid),
        id.at() + cluster.first_index,
        strings(&group.networks),
        policy(&group.policy),
        strings(&group.tags)
    )
}

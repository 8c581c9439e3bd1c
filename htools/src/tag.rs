//! What tags of the cluster make of the tags of nodes and instances.

use std::collections::HashMap;

/// Prefixes of cluster tags that mean something to the tools.
pub mod prefix {
    /// Exclusion tags: instances that share one do not want to share a node.
    pub const EXCLUSION: &str = "htools:iextags:";
    /// Nodes that hsqueeze may power on.
    pub const STANDBY: &str = "htools:standby:";
    /// The tag that hsqueeze gives to nodes that it powers off.
    pub const STANDBY_AUTO: &str = "htools:standby:auto";
    /// Node tags that restrict live migration.
    pub const MIGRATION: &str = "htools:migration:";
    /// Exceptions of these.
    pub const ALLOW_MIGRATION: &str = "htools:allowmigration:";
    /// Node tags that name a common cause of failure.
    pub const LOCATION: &str = "htools:nlocation:";
    /// Instance tags that name wanted tags of the primary node.
    pub const DESIRED_LOCATION: &str = "htools:desiredlocation:";
    /// Memory that instances may have together, per memory there is for them: a tag of a node, a group or the cluster.
    pub const MEMORY_RATIO: &str = "htools:memory-ratio:";
    /// Automatic repair.
    pub const AUTO_REPAIR: &str = "ganeti:watcher:autorepair:";
}

/// Numbers for tags, so that they compare fast. Objects of one cluster share it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    names: Vec<String>,
    index: HashMap<String, u32>,
}

impl Words {
    /// The number of a tag; the same tag has the same number.
    pub fn number(&mut self, tag: &str) -> u32 {
        if let Some(&number) = self.index.get(tag) {
            return number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(tag.to_owned());
        self.index.insert(tag.to_owned(), number);
        number
    }

    /// The tag of a number that [`Self::number`] gave.
    #[must_use]
    pub fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", String::as_str)
    }
}

/// What follows `prefix` in those tags that begin with it.
pub fn chosen<'a>(tags: &'a [String], prefix: &str) -> Vec<&'a str> {
    tags.iter().filter_map(|tag| tag.strip_prefix(prefix)).collect()
}

/// Like [`chosen`], without empty ones.
pub fn chosen_nonempty<'a>(tags: &'a [String], prefix: &str) -> Vec<&'a str> {
    chosen(tags, prefix).into_iter().filter(|rest| !rest.is_empty()).collect()
}

/// Tags that begin with any of `prefixes`.
pub fn beginning_with<'a>(tags: &'a [String], prefixes: &[String]) -> impl Iterator<Item = &'a String> {
    tags.iter().filter(|tag| prefixes.iter().any(|prefix| tag.starts_with(prefix.as_str())))
}

/// Node tags that a cluster tag `prefix` + X selects: those that begin with `X:`.
pub fn selected<'a>(cluster: &[String], prefix: &str, node: &'a [String]) -> Vec<&'a String> {
    let starts: Vec<String> = chosen(cluster, prefix).into_iter().map(|start| format!("{start}:")).collect();
    beginning_with(node, &starts).collect()
}

/// Migration tags that a node with `own` ones can receive from: these, and what an exception of the cluster adds to one of them.
pub fn receivable(cluster: &[String], own: &[&String]) -> Vec<String> {
    let exceptions: Vec<(&str, &str)> = chosen(cluster, prefix::ALLOW_MIGRATION).into_iter().filter_map(exception).collect();
    let added = |tag: &str| exceptions.iter().filter(|(_, to)| *to == tag).map(|(from, _)| (*from).to_owned()).collect::<Vec<_>>();
    own.iter().flat_map(|tag| std::iter::once((*tag).clone()).chain(added(tag))).collect()
}

/// `A::B`: from nodes tagged A to nodes tagged B. Exactly one double colon.
fn exception(text: &str) -> Option<(&str, &str)> {
    let (from, to) = text.split_once("::")?;
    (!to.contains("::")).then_some((from, to))
}

/// Sorted, without repetitions.
#[must_use]
pub fn set(mut numbers: Vec<u32>) -> Vec<u32> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// How many numbers two sets share.
#[must_use]
pub fn common(a: &[u32], b: &[u32]) -> i64 {
    let shared = if a.is_empty() || b.is_empty() { 0 } else { a.iter().filter(|number| b.binary_search(number).is_ok()).count() };
    i64::try_from(shared).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(list: &[&str]) -> Vec<String> {
        list.iter().map(|tag| (*tag).to_owned()).collect()
    }

    #[test]
    fn node_tags_are_selected_with_a_colon() {
        let node = tags(&["power:a", "powerful:b", "rack"]);
        assert_eq!(selected(&tags(&["htools:nlocation:power"]), prefix::LOCATION, &node), [&"power:a".to_owned()]);
        assert!(selected(&tags(&["htools:nlocation:rack"]), prefix::LOCATION, &node).is_empty());
    }

    #[test]
    fn exceptions_have_exactly_one_double_colon() {
        let cluster = tags(&["htools:allowmigration:v:1::v:2", "htools:allowmigration:v:0::v:1::v:2"]);
        let own = tags(&["v:2"]);
        let own: Vec<&String> = own.iter().collect();
        assert_eq!(receivable(&cluster, &own), tags(&["v:2", "v:1"]));
    }

    #[test]
    fn words_have_one_number_each() {
        let mut words = Words::default();
        assert_eq!((words.number("a"), words.number("b"), words.number("a")), (0, 1, 0));
        assert_eq!(words.name(1), "b");
        assert_eq!(common(&set(vec![3, 1, 1]), &[1, 3]), 2);
    }
}

//! What the operator asks of the built-in allocator.

use gannet_core::config::ParamMap;
use gannet_htools::allocate::Options;
use gannet_htools::evacuable::loss::{self, Loss, TooMany};
use gannet_htools::{NodeId, evacuable};
use serde_json::Value;

use super::BUILT_IN;
use super::columns::Columns;
use crate::refusal::Refusal;

/// More nodes that are lost at once are not asked about: the sets would be too many.
const MOST_LOST: usize = 4;

/// The rules of placement.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(super) options: Options,
    /// So many nodes of a group may be lost together.
    survive: usize,
    /// The prefix of the node tags that name failure domains.
    domains: Option<String>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { options: Options { mirrored_only: true, ..Options::default() }, survive: 1, domains: None }
    }
}

impl Rules {
    /// What `default_iallocator_params` say: options of hail. Switches have a truth value, or nothing.
    ///
    /// # Errors
    /// Another option, or another value.
    pub fn read(given: &ParamMap) -> Result<Self, Refusal> {
        let mut rules = Self::default();
        for (name, value) in given {
            rules.set(&name.replace('_', "-"), value)?;
        }
        Ok(rules)
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), Refusal> {
        let wrong = |expected: &str| Refusal::invalid(format!("Parameter {name} of allocator {BUILT_IN} is {expected}, not {value}"));
        match name {
            "no-capacity-checks" => self.options.capacity = !truth(value).ok_or_else(|| wrong("yes or no"))?,
            "accept-existing-errors" => self.options.accept_existing = truth(value).ok_or_else(|| wrong("yes or no"))?,
            "ignore-soft-errors" => self.options.ignore_soft_errors = truth(value).ok_or_else(|| wrong("yes or no"))?,
            "survive" => {
                let count = value.as_u64().or_else(|| value.as_str()?.parse().ok()).and_then(|count| usize::try_from(count).ok());
                let count = count.filter(|count| (1..=MOST_LOST).contains(count));
                self.survive = count.ok_or_else(|| wrong(&format!("a number of nodes from 1 to {MOST_LOST}")))?;
            }
            "failure-domains" => {
                let prefix = value.as_str().filter(|prefix| !prefix.is_empty());
                self.domains = Some(prefix.ok_or_else(|| wrong("a prefix of node tags"))?.to_owned());
            }
            _ => {
                return Err(Refusal::invalid(format!(
                    "Allocator {BUILT_IN} has no parameter '{name}'; it has no-capacity-checks, accept-existing-errors, \
                     ignore-soft-errors, survive and failure-domains"
                )));
            }
        }
        Ok(())
    }

    /// The options for the cluster as it is now. Excused are losses that cannot be made up for as it is, and those of nodes in a
    /// group that has only one.
    pub(super) fn for_placement(&self, columns: &Columns) -> Result<Options, TooMany> {
        let Columns { cluster, state, .. } = columns;
        let mut options = self.options.clone();
        options.losses = loss::of_count(cluster, self.survive)?;
        options.losses.extend(self.domains.iter().flat_map(|prefix| loss::of_domains(cluster, prefix)));
        let mut usable = vec![0_usize; cluster.groups.len()];
        cluster.nodes.iter().filter(|node| !node.offline).for_each(|node| usable[node.group.at()] += 1);
        let scope = options.scope(cluster.node_ids().collect());
        let mut excused: Vec<NodeId> = evacuable::failing(cluster, state, &scope);
        excused.extend(cluster.node_ids().filter(|id| usable[cluster.node(*id).group.at()] < 2));
        excused.sort_unstable();
        excused.dedup();
        let failing: Vec<&Loss> = evacuable::failing_losses(cluster, state, &scope).collect();
        let excused_losses = options.losses.iter().enumerate().filter(|(_, loss)| failing.contains(loss)).map(|(at, _)| at).collect();
        (options.excused, options.excused_losses) = (excused, excused_losses);
        Ok(options)
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::Null => Some(true),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "" | "true" | "yes" => Some(true),
            "false" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(name: &str, value: Value) -> Result<Rules, String> {
        Rules::read(&ParamMap::from([(name.to_owned(), value)])).map_err(|refusal| refusal.message)
    }

    #[test]
    fn options_of_hail_are_read() {
        assert!(!read("no_capacity_checks", json!("yes")).unwrap().options.capacity);
        assert!(!read("no-capacity-checks", json!("")).unwrap().options.capacity);
        assert!(read("no-capacity-checks", json!(false)).unwrap().options.capacity);
        assert_eq!(read("survive", json!("2")).unwrap().survive, 2);
        assert_eq!(read("failure-domains", json!("rack")).unwrap().domains.as_deref(), Some("rack"));
    }

    #[test]
    fn what_it_does_not_have_is_refused() {
        assert!(read("colour", json!("red")).unwrap_err().starts_with("Allocator hail has no parameter 'colour'; it has "));
        assert!(read("survive", json!(9)).unwrap_err().contains("survive of allocator hail is a number of nodes from 1 to 4, not 9"));
        assert!(read("no-capacity-checks", json!("perhaps")).unwrap_err().contains("is yes or no"));
        assert!(read("failure-domains", json!("")).unwrap_err().contains("a prefix of node tags"));
    }
}

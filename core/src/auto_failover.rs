//! Which instances are started elsewhere by themselves when their node dies. Ganeti has no such setting, so it lives in tags, which
//! the configuration, RAPI and all tools carry already: `gannet:auto-failover:…` on the cluster, a node group or an instance.
//!
//! ```text
//! yes, no          cluster, group, instance: the nearest one counts; without any, no (as Ganeti)
//! priority:N       instance: 0 to 100, higher ones are started first (50)
//! dead-after:N     cluster: seconds without a word until a node may be called dead (30)
//! lease:N          cluster: seconds that a node may run such instances without hearing from a master (30)
//! ```

use std::time::Duration;

use crate::config::{Config, Instance};
use crate::lease;
use crate::param::DiskTemplate;
use crate::tag::TagSet;

/// What all of them begin with.
pub const PREFIX: &str = "gannet:auto-failover:";
/// Without a tag. With it and the default lease, guests run elsewhere within a minute of a loss of power.
pub const DEAD_AFTER: Duration = Duration::from_secs(30);
/// Without a tag: longer than a restart of an agent, a switch or a master takes.
pub const LEASE: Duration = Duration::from_secs(30);
/// Without a tag.
pub const PRIORITY: u32 = 50;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// On or off.
    On(bool),
    /// Who comes first.
    Priority(u32),
    /// When a node may be dead.
    DeadAfter(Duration),
    /// How long a lease is.
    Lease(Duration),
}

/// What a tag sets; `None` when it is no such tag.
///
/// # Errors
/// It begins like one, and means nothing.
pub fn parse(tag: &str) -> Option<Result<Setting, String>> {
    let word = tag.strip_prefix(PREFIX)?;
    let number = |text: &str, low: u32, high: u32| {
        text.parse().ok().filter(|n| (low..=high).contains(n)).ok_or_else(|| format!("'{tag}': a number from {low} to {high} is needed"))
    };
    let seconds = |text: &str, low: u64| {
        let low = u32::try_from(low).unwrap_or(u32::MAX);
        number(text, low, u32::try_from(lease::LONGEST.as_secs()).unwrap_or(u32::MAX)).map(|s| Duration::from_secs(u64::from(s)))
    };
    Some(match word.split_once(':') {
        None if word == "yes" => Ok(Setting::On(true)),
        None if word == "no" => Ok(Setting::On(false)),
        Some(("priority", text)) => number(text, 0, 100).map(Setting::Priority),
        Some(("dead-after", text)) => seconds(text, 5).map(Setting::DeadAfter),
        Some(("lease", text)) => seconds(text, lease::SHORTEST.as_secs()).map(Setting::Lease),
        _ => Err(format!("'{tag}' means nothing; there are {PREFIX}yes, no, priority:N, dead-after:N and lease:N")),
    })
}

/// What bears tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// The cluster.
    Cluster,
    /// A node group.
    Group,
    /// An instance.
    Instance,
    /// A node, a network.
    Other,
}

/// Whether these tags can be together on such an object.
///
/// # Errors
/// What cannot be.
pub fn check(bearer: Bearer, tags: &TagSet) -> Result<(), String> {
    let mut seen: Vec<(std::mem::Discriminant<Setting>, &str)> = Vec::new();
    for tag in tags {
        let Some(setting) = parse(tag.as_str()).transpose()? else { continue };
        let fits = match setting {
            Setting::On(_) => bearer != Bearer::Other,
            Setting::Priority(_) => bearer == Bearer::Instance,
            Setting::DeadAfter(_) | Setting::Lease(_) => bearer == Bearer::Cluster,
        };
        if !fits {
            return Err(format!(
                "The tag '{tag}' has no meaning there: yes and no are for the cluster, node groups and instances, priority is for instances, dead-after and lease are for the cluster"
            ));
        }
        let kind = std::mem::discriminant(&setting);
        if let Some((_, other)) = seen.iter().find(|(known, _)| *known == kind) {
            return Err(format!("The tags '{other}' and '{tag}' contradict each other: remove one first"));
        }
        seen.push((kind, tag.as_str()));
    }
    Ok(())
}

/// The setting of one kind among these tags. What [`check`] would refuse counts as nothing.
fn find<T>(tags: &TagSet, of: impl Fn(Setting) -> Option<T>) -> Option<T> {
    tags.iter().find_map(|tag| parse(tag.as_str())?.ok().and_then(&of))
}

fn switch(tags: &TagSet) -> Option<bool> {
    find(tags, |setting| if let Setting::On(on) = setting { Some(on) } else { None })
}

/// Whether the instance is meant: a tag says so, and its disks are where another node has them.
#[must_use]
pub fn is_on(config: &Config, instance: &Instance) -> bool {
    is_on_with(config, instance, config.disk_template(instance))
}

/// The same for an instance whose disks are not in the configuration yet.
#[must_use]
pub fn is_on_with(config: &Config, instance: &Instance, template: &str) -> bool {
    let group = config.node(&instance.primary_node).and_then(|node| config.group(&node.group));
    let wanted = switch(&instance.tags).or_else(|| group.and_then(|group| switch(&group.tags))).or_else(|| switch(&config.cluster().tags));
    wanted == Some(true) && template.parse::<DiskTemplate>().is_ok_and(DiskTemplate::is_mirrored)
}

/// Whether any object switches it on: only then nodes need leases.
#[must_use]
pub fn is_used(config: &Config) -> bool {
    switch(&config.cluster().tags) == Some(true)
        || config.groups().any(|group| switch(&group.tags) == Some(true))
        || config.instances().any(|instance| switch(&instance.tags) == Some(true))
}

/// Higher ones come first.
#[must_use]
pub fn priority(instance: &Instance) -> u32 {
    find(&instance.tags, |setting| if let Setting::Priority(n) = setting { Some(n) } else { None }).unwrap_or(PRIORITY)
}

/// The cluster's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Without a word for so long, a node may be dead.
    pub dead_after: Duration,
    /// The length of a lease.
    pub lease: Duration,
}

/// The times among the cluster's tags.
#[must_use]
pub fn times(cluster: &TagSet) -> Times {
    Times {
        dead_after: find(cluster, |setting| if let Setting::DeadAfter(t) = setting { Some(t) } else { None }).unwrap_or(DEAD_AFTER),
        lease: find(cluster, |setting| if let Setting::Lease(t) = setting { Some(t) } else { None }).unwrap_or(LEASE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(texts: &[&str]) -> TagSet {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn tags_are_settings() {
        assert_eq!(parse("web"), None);
        assert_eq!(parse("gannet:auto-failover:yes"), Some(Ok(Setting::On(true))));
        assert_eq!(parse("gannet:auto-failover:priority:100"), Some(Ok(Setting::Priority(100))));
        assert_eq!(parse("gannet:auto-failover:lease:10"), Some(Ok(Setting::Lease(Duration::from_secs(10)))));
        for wrong in ["on", "priority:101", "priority:", "lease:9", "lease:3601", "dead-after:x", ""] {
            assert!(parse(&format!("{PREFIX}{wrong}")).is_some_and(|result| result.is_err()), "{wrong}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused() {
        assert_eq!(check(Bearer::Cluster, &tags(&["a", "gannet:auto-failover:yes", "gannet:auto-failover:lease:20"])), Ok(()));
        assert!(check(Bearer::Cluster, &tags(&["gannet:auto-failover:priority:3"])).is_err());
        assert!(check(Bearer::Instance, &tags(&["gannet:auto-failover:lease:20"])).is_err());
        assert!(check(Bearer::Other, &tags(&["gannet:auto-failover:yes"])).is_err());
        let both = check(Bearer::Instance, &tags(&["gannet:auto-failover:yes", "gannet:auto-failover:no"]));
        assert!(both.is_err_and(|text| text.contains("contradict")));
    }

    #[test]
    fn times_have_defaults() {
        assert_eq!(times(&TagSet::new()), Times { dead_after: DEAD_AFTER, lease: LEASE });
        let set = times(&tags(&["gannet:auto-failover:dead-after:7", "gannet:auto-failover:lease:60"]));
        assert_eq!((set.dead_after.as_secs(), set.lease.as_secs()), (7, 60));
    }
}

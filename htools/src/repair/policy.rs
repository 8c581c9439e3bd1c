//! Which repairs are allowed: by tags of the instance, else of its group, else of the cluster.

use super::{PREFIX, after, number};
use crate::cluster::Cluster;

/// What a repair does, from the most harmless to the most destructive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Disks get another secondary node.
    FixStorage,
    /// The instance is migrated. No repair does that yet.
    Migrate,
    /// The instance is restarted on another node.
    Failover,
    /// Its disks are made anew, without their data, and its operating system is installed again.
    Reinstall,
}

/// What may be done with an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Repairs up to this kind.
    Enabled(Kind),
    /// Nothing, until a time (seconds since 1970) or until the tag is removed.
    Suspended(Option<i64>),
    /// Nothing: no tag allows it.
    NotEnabled,
}

impl Kind {
    /// All, with their names in tags and in messages.
    const NAMES: [(Self, &'static str, &'static str); 4] = [
        (Self::FixStorage, "fix-storage", "ArFixStorage"),
        (Self::Migrate, "migrate", "ArMigrate"),
        (Self::Failover, "failover", "ArFailover"),
        (Self::Reinstall, "reinstall", "ArReinstall"),
    ];

    /// The kind of that name in tags.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known, _)| *known == name).map(|(kind, ..)| *kind)
    }

    /// The name in tags.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }

    /// The name in messages.
    #[must_use]
    pub fn shown(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, ..)| *kind == self).map_or("", |(.., name)| name)
    }
}

impl Policy {
    /// What the tags of one object say; `None`: nothing.
    ///
    /// A suspension is stronger than permissions beside it, so that a group can suspend what it otherwise allows; of several
    /// permissions the least counts.
    #[must_use]
    pub fn of(tags: &[String], now: i64) -> Option<Self> {
        let suspended = format!("{PREFIX}suspend:");
        let until: Vec<&str> = tags.iter().filter_map(|tag| after(tag, &suspended)).collect();
        if until.contains(&"") {
            return Some(Self::Suspended(None));
        }
        if let Some(end) = until.into_iter().filter_map(number).filter(|end| *end > now).max() {
            return Some(Self::Suspended(Some(end)));
        }
        tags.iter().filter_map(|tag| after(tag, PREFIX)).filter_map(Kind::parse).min().map(Self::Enabled)
    }

    /// As messages show it. `time` shows a time.
    #[must_use]
    pub fn shown(self, time: impl Fn(i64) -> String) -> String {
        match self {
            Self::Enabled(kind) => format!("ArEnabled {}", kind.shown()),
            Self::Suspended(None) => "ArSuspended Forever".to_owned(),
            Self::Suspended(Some(end)) => format!("ArSuspended (Until {})", time(end)),
            Self::NotEnabled => "ArNotEnabled".to_owned(),
        }
    }
}

/// What may be done with each instance. `now`: in seconds since 1970.
#[must_use]
pub fn policies(cluster: &Cluster, now: i64) -> Vec<Policy> {
    let all = Policy::of(&cluster.tags, now).unwrap_or(Policy::NotEnabled);
    let groups: Vec<Policy> = cluster.groups.iter().map(|group| Policy::of(&group.tags, now).unwrap_or(all)).collect();
    let of_group = |at: usize| groups.get(at).copied().unwrap_or(all);
    let instances = cluster.instances.iter();
    instances
        .map(|instance| Policy::of(&instance.tags, now).unwrap_or_else(|| of_group(cluster.node(instance.primary).group.at())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> Option<Policy> {
        let tags: Vec<String> = words.split_whitespace().map(|word| word.replace("ar:", PREFIX)).collect();
        Policy::of(&tags, 1000)
    }

    #[test]
    fn the_least_permission_counts_and_suspensions_come_first() {
        use Policy::{Enabled, Suspended};
        for (tags, expected) in [
            ("", None),
            ("web ar:", None),
            ("ar:repaint", None),
            ("ar:reinstall", Some(Enabled(Kind::Reinstall))),
            ("ar:reinstall ar:fix-storage ar:failover", Some(Enabled(Kind::FixStorage))),
            ("ar:reinstall ar:migrate", Some(Enabled(Kind::Migrate))),
            ("ar:suspend", Some(Suspended(None))),
            ("ar:suspend:", Some(Suspended(None))),
            ("ar:failover ar:suspend ar:suspend:2000", Some(Suspended(None))),
            ("ar:failover ar:suspend:2000 ar:suspend:3000", Some(Suspended(Some(3000)))),
            // It is over.
            ("ar:failover ar:suspend:1000 ar:suspend:-5", Some(Enabled(Kind::Failover))),
            ("ar:suspend:1000", None),
            ("ar:failover ar:suspend:tomorrow", Some(Enabled(Kind::Failover))),
            ("ar:failover ar:suspend:99999999999999999999999", Some(Suspended(Some(i64::MAX)))),
            // States of repairs are no permissions.
            ("ar:pending:failover:u:1:2 ar:result:reinstall:u:1:success:2", None),
        ] {
            assert_eq!(of(tags), expected, "{tags}");
        }
    }

    #[test]
    fn shown() {
        let time = |end: i64| format!("second {end}");
        assert_eq!(Policy::NotEnabled.shown(time), "ArNotEnabled");
        assert_eq!(Policy::Suspended(None).shown(time), "ArSuspended Forever");
        assert_eq!(Policy::Suspended(Some(7)).shown(time), "ArSuspended (Until second 7)");
    }
}

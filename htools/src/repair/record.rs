//! What a tag says of one repair: `pending:TYPE:ID:TIME:JOBS`, or `result:TYPE:ID:TIME:RESULT:JOBS` when it has ended.

use gannet_core::id::JobId;

use super::{Kind, PREFIX, after, number};

/// How a repair ended. The later in this list, the stronger: it hides the others of the same repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was not allowed.
    Enoperm,
    /// It succeeded.
    Success,
    /// A job failed; an operator has to look at it, and to remove the tag.
    Failure,
}

/// One repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it does.
    pub kind: Kind,
    /// Its name, the same in all of its tags.
    pub id: String,
    /// When the tag was made, in seconds since 1970.
    pub time: i64,
    /// Its jobs.
    pub jobs: Vec<JobId>,
    /// `None`: it has not ended.
    pub outcome: Option<Outcome>,
    /// The tag.
    pub tag: String,
}

impl Outcome {
    const NAMES: [(Self, &'static str); 3] = [(Self::Enoperm, "enoperm"), (Self::Success, "success"), (Self::Failure, "failure")];

    fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(outcome, _)| *outcome)
    }

    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(outcome, _)| *outcome == self).map_or("", |(_, name)| name)
    }
}

impl Record {
    /// A repair with the tag that says so.
    #[must_use]
    pub fn new(kind: Kind, id: String, time: i64, jobs: Vec<JobId>, outcome: Option<Outcome>) -> Self {
        let numbers = jobs.iter().map(ToString::to_string).collect::<Vec<_>>().join("+");
        let (state, result) = outcome.map_or(("pending", String::new()), |outcome| ("result", format!("{}:", outcome.name())));
        let tag = format!("{PREFIX}{state}:{}:{id}:{time}:{result}{numbers}", kind.name());
        Self { kind, id, time, jobs, outcome, tag }
    }

    /// The same repair, ended.
    #[must_use]
    pub fn ended(&self, time: i64, outcome: Outcome) -> Self {
        Self::new(self.kind, self.id.clone(), time, self.jobs.clone(), Some(outcome))
    }

    /// What a tag says; `None`: nothing of a repair, or nothing that can be understood.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let fields = |state: &str| after(tag, &format!("{PREFIX}{state}:")).map(|rest| rest.split(':').collect::<Vec<_>>());
        let (kind, id, time, outcome, jobs) = match (fields("pending").as_deref(), fields("result").as_deref()) {
            (Some([kind, id, time, jobs]), _) => (*kind, *id, *time, None, *jobs),
            (_, Some([kind, id, time, outcome, jobs])) => (*kind, *id, *time, Some(Outcome::parse(outcome)?), *jobs),
            _ => return None,
        };
        let job = |text: &str| text.parse::<JobId>().ok();
        let jobs = if jobs.is_empty() { Some(Vec::new()) } else { jobs.split('+').map(job).collect() };
        Some(Self { kind: Kind::parse(kind)?, id: id.to_owned(), time: number(time)?, jobs: jobs?, outcome, tag: tag.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let jobs = vec![JobId(7), JobId(8)];
        let pending = Record::new(Kind::Failover, "u1".to_owned(), 99, jobs, None);
        assert_eq!(pending.tag, "ganeti:watcher:autorepair:pending:failover:u1:99:7+8");
        assert_eq!(Record::parse(&pending.tag), Some(pending.clone()));
        let ended = pending.ended(100, Outcome::Failure);
        assert_eq!(ended.tag, "ganeti:watcher:autorepair:result:failover:u1:100:failure:7+8");
        assert_eq!(Record::parse(&ended.tag), Some(ended));
        let refused = Record::new(Kind::Reinstall, "u2".to_owned(), 1, Vec::new(), Some(Outcome::Enoperm));
        assert_eq!(refused.tag, "ganeti:watcher:autorepair:result:reinstall:u2:1:enoperm:");
        assert_eq!(Record::parse(&refused.tag), Some(refused));
    }

    #[test]
    fn other_tags_are_none() {
        for tag in [
            "failover",
            "pending",
            "pending:",
            "pending:failover:u:1",
            "pending:failover:u:1:2:3",
            "pending:repaint:u:1:2",
            "pending:failover:u:soon:2",
            "pending:failover:u::2",
            "pending:failover:u:1:2+",
            "pending:failover:u:1:-2",
            "result:failover:u:1:2",
            "result:failover:u:1:maybe:2",
            "result:failover:u:1:success",
        ] {
            assert_eq!(Record::parse(&format!("{PREFIX}{tag}")), None, "{tag}");
        }
    }
}

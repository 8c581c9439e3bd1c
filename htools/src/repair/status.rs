//! How it stands with an instance, by what its tags say of earlier repairs.

use super::{Outcome, Record};
use crate::id::InstanceId;
use crate::show::haskell;

/// How it stands with an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nothing is under way; the last repair, if there was one, did not fail.
    Healthy(Option<Record>),
    /// It is broken, and its repair is not allowed.
    NeedsRepair(Record),
    /// A repair is under way.
    Pending(Record),
    /// A repair has failed. The instance is left alone as long as the tag is there.
    Failed(Record),
}

/// An instance on its way through a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patient {
    /// Who it is.
    pub instance: InstanceId,
    /// How it stands with it.
    pub status: Status,
    /// Tags that say nothing any more.
    pub outdated: Vec<String>,
}

impl Status {
    /// In summaries.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Healthy(_) => "Healthy",
            Self::NeedsRepair(_) => "Needs repair",
            Self::Pending(_) => "Pending repair",
            Self::Failed(_) => "Failure",
        }
    }

    /// The repair that it is about.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Healthy(record) => record.as_ref(),
            Self::NeedsRepair(record) | Self::Pending(record) | Self::Failed(record) => Some(record),
        }
    }

    fn of(record: Record) -> Self {
        match record.outcome {
            None => Self::Pending(record),
            Some(Outcome::Failure) => Self::Failed(record),
            Some(Outcome::Enoperm | Outcome::Success) => Self::Healthy(Some(record)),
        }
    }
}

impl Patient {
    /// What tags say of an instance. Repairs are looked at from the oldest on: the first failure stays, else the newest counts.
    ///
    /// # Errors
    /// A sentence about a repair that began although an older one has not ended.
    pub fn new(instance: InstanceId, name: &str, tags: &[String]) -> Result<Self, String> {
        let mut records: Vec<Record> = tags.iter().filter_map(|tag| Record::parse(tag)).collect();
        records.sort_by(|a, b| a.id.cmp(&b.id));
        let mut repairs: Vec<&[Record]> = records.chunk_by(|a, b| a.id == b.id).collect();
        repairs.sort_by_key(|repair| repair.iter().map(|record| record.time).min());
        let mut patient = Self { instance, status: Status::Healthy(None), outdated: Vec::new() };
        for repair in repairs {
            // Of equal ones the last.
            let Some(newest) = repair.iter().max_by_key(|record| (record.outcome, record.time)) else { continue };
            match &patient.status {
                Status::Failed(_) => {}
                Status::Pending(older) => {
                    return Err(format!(
                        "An unfinished repair was found in instance {name}: found tag {}, but older pending tag {}exists.",
                        haskell::string(&newest.tag),
                        haskell::string(&older.tag)
                    ));
                }
                Status::Healthy(_) | Status::NeedsRepair(_) => patient.becomes(Status::of(newest.clone())),
            }
        }
        Ok(patient)
    }

    /// Changes the status; the tag of the old one is outdated.
    pub fn becomes(&mut self, status: Status) {
        if let Some(old) = self.status.record() {
            self.outdated.insert(0, old.tag.clone());
        }
        self.status = status;
    }
}

#[cfg(test)]
mod tests {
    use super::super::PREFIX;
    use super::*;

    fn patient(words: &str) -> Result<(String, Option<String>, Vec<String>), String> {
        let tags: Vec<String> = words.split_whitespace().map(|word| format!("{PREFIX}{word}")).collect();
        let patient = Patient::new(InstanceId::new(0), "web1", &tags)?;
        let short = |tag: &String| tag.strip_prefix(PREFIX).unwrap_or(tag).to_owned();
        let tag = patient.status.record().map(|record| short(&record.tag));
        Ok((patient.status.name().to_owned(), tag, patient.outdated.iter().map(short).collect()))
    }

    #[track_caller]
    fn check(tags: &str, status: &str, tag: &str, outdated: &[&str]) {
        let tag = (!tag.is_empty()).then(|| tag.to_owned());
        assert_eq!(patient(tags), Ok((status.to_owned(), tag, outdated.iter().map(|tag| (*tag).to_owned()).collect())), "{tags}");
    }

    #[test]
    fn one_repair() {
        check("", "Healthy", "", &[]);
        check("failover suspend", "Healthy", "", &[]);
        check("pending:failover:a:1:5", "Pending repair", "pending:failover:a:1:5", &[]);
        check("result:failover:a:1:success:5", "Healthy", "result:failover:a:1:success:5", &[]);
        check("result:failover:a:1:enoperm:", "Healthy", "result:failover:a:1:enoperm:", &[]);
        check("result:failover:a:1:failure:5", "Failure", "result:failover:a:1:failure:5", &[]);
    }

    #[test]
    fn of_one_repair_the_result_hides_that_it_was_pending() {
        check("pending:failover:a:9:5 result:failover:a:1:success:5", "Healthy", "result:failover:a:1:success:5", &[]);
        check("result:failover:a:1:failure:5 result:failover:a:9:success:5", "Failure", "result:failover:a:1:failure:5", &[]);
        check("pending:failover:a:1:5 pending:failover:a:2:5+6", "Pending repair", "pending:failover:a:2:5+6", &[]);
    }

    #[test]
    fn of_several_repairs_the_first_failure_stays_else_the_newest_counts() {
        let (old, new) = ("result:failover:z:1:success:5", "result:failover:a:2:success:6");
        check(&format!("{new} {old}"), "Healthy", new, &[old]);
        let third = "pending:reinstall:b:3:7";
        check(&format!("{third} {new} {old}"), "Pending repair", third, &[new, old]);
        let failed = "result:failover:c:2:failure:6";
        check(&format!("{old} {failed} {third}"), "Failure", failed, &[old]);
    }

    #[test]
    fn a_repair_that_began_before_an_older_one_ended_is_an_error() {
        let error = patient("pending:failover:a:1:5 result:failover:b:2:success:6").unwrap_err();
        assert_eq!(
            error,
            format!(
                "An unfinished repair was found in instance web1: found tag \"{PREFIX}result:failover:b:2:success:6\", but older pending \
                 tag \"{PREFIX}pending:failover:a:1:5\"exists."
            )
        );
        assert!(patient("pending:failover:a:1:5 pending:failover:b:2:6").is_err());
        assert!(patient("pending:failover:a:3:5 result:failover:b:2:success:6").is_ok(), "the older one has ended");
    }
}

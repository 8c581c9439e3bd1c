//! Parameters that every opcode has: priority, dependencies, comment, reason trail, dry run.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::JobId;
use crate::param::closed_set;

/// Parameters that every opcode has.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    /// How much the master logs about this opcode; `None` means nothing special.
    pub debug_level: Option<u64>,
    /// Stop after the checks, before anything is changed.
    pub dry_run: Option<bool>,
    /// When the job runs compared with others.
    #[serde(default)]
    pub priority: Priority,
    /// Jobs that have to end first. None is written as null.
    #[serde(default, deserialize_with = "null_is_empty", serialize_with = "empty_is_null")]
    pub depends: Vec<Dependency>,
    /// Free text, shown in job listings.
    pub comment: Option<String>,
    /// Who wanted this and why, oldest first.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub reason: Vec<ReasonEntry>,
}

impl Common {
    /// Names of the common parameters.
    pub const NAMES: [&'static str; 6] = ["comment", "debug_level", "depends", "dry_run", "priority", "reason"];
}

/// Urgency of an opcode: lower runs earlier, as with `nice`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct Priority(i32);

/// A number that is no priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("priority {0} is not between -20 and 19")]
pub struct InvalidPriority(pub i32);

impl Priority {
    /// Runs before all others.
    pub const HIGHEST: Self = Self(-20);
    /// The highest that clients may ask for.
    pub const HIGH: Self = Self(-10);
    /// The default.
    pub const NORMAL: Self = Self(0);
    /// The lowest that clients may ask for.
    pub const LOW: Self = Self(10);
    /// Runs after all others.
    pub const LOWEST: Self = Self(19);

    /// The number, -20 to 19.
    #[must_use]
    pub fn get(self) -> i32 {
        self.0
    }

    /// Whether clients may submit a job with it (Ganeti: OP_PRIO_SUBMIT_VALID).
    #[must_use]
    pub fn is_submittable(self) -> bool {
        [Self::HIGH, Self::NORMAL, Self::LOW].contains(&self)
    }

    /// One step more urgent, for a job that waits too long for its locks.
    #[must_use]
    pub fn raised(self) -> Self {
        Self(self.0.saturating_sub(1)).max(Self::HIGHEST)
    }
}

impl TryFrom<i32> for Priority {
    type Error = InvalidPriority;

    fn try_from(number: i32) -> Result<Self, InvalidPriority> {
        if (Self::HIGHEST.0..=Self::LOWEST.0).contains(&number) { Ok(Self(number)) } else { Err(InvalidPriority(number)) }
    }
}

impl From<Priority> for i32 {
    fn from(priority: Priority) -> i32 {
        priority.0
    }
}

/// A job that has to end before this one begins: `[job, [statuses…]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(JobRef, Vec<FinalStatus>)", into = "(JobRef, Vec<FinalStatus>)")]
pub struct Dependency {
    /// The job.
    pub job: JobRef,
    /// With which of these it must end; empty means any.
    pub states: Vec<FinalStatus>,
}

impl From<(JobRef, Vec<FinalStatus>)> for Dependency {
    fn from((job, states): (JobRef, Vec<FinalStatus>)) -> Self {
        Self { job, states }
    }
}

impl From<Dependency> for (JobRef, Vec<FinalStatus>) {
    fn from(dependency: Dependency) -> Self {
        (dependency.job, dependency.states)
    }
}

/// Which job is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobRef {
    /// A job that was submitted before.
    Id(JobId),
    /// A job of the same submission, counted back: 1 is the one just before. Written as a negative number.
    Back(u32),
}

impl Serialize for JobRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Id(id) => id.serialize(serializer),
            Self::Back(count) => serializer.serialize_i64(-i64::from(*count)),
        }
    }
}

impl<'de> Deserialize<'de> for JobRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(i64),
            Id(JobId),
        }
        match Form::deserialize(deserializer)? {
            Form::Id(id) => Ok(Self::Id(id)),
            Form::Number(number) => match (u64::try_from(number), u32::try_from(number.unsigned_abs())) {
                (Ok(id), _) => Ok(Self::Id(JobId(id))),
                (Err(_), Ok(count)) => Ok(Self::Back(count)),
                (Err(_), Err(_)) => Err(D::Error::custom("relative job id out of range")),
            },
        }
    }
}

closed_set! {
    /// How a job can end.
    pub enum FinalStatus ("finalized job status") {
        /// Stopped on request before it began.
        Canceled = "canceled",
        /// All opcodes succeeded.
        Success = "success",
        /// An opcode failed.
        Error = "error",
    }
}

/// One entry of a reason trail: `[source, reason, timestamp]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(String, String, i64)", into = "(String, String, i64)")]
pub struct ReasonEntry {
    /// The component that added it, e.g. `gnt:client`.
    pub source: String,
    /// The text; may be empty.
    pub reason: String,
    /// When, in nanoseconds since 1970.
    pub timestamp_ns: i64,
}

impl From<(String, String, i64)> for ReasonEntry {
    fn from((source, reason, timestamp_ns): (String, String, i64)) -> Self {
        Self { source, reason, timestamp_ns }
    }
}

impl From<ReasonEntry> for (String, String, i64) {
    fn from(entry: ReasonEntry) -> Self {
        (entry.source, entry.reason, entry.timestamp_ns)
    }
}

fn null_is_empty<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

fn empty_is_null<T: Serialize, S: Serializer>(list: &Vec<T>, serializer: S) -> Result<S::Ok, S::Error> {
    if list.is_empty() { serializer.serialize_none() } else { list.serialize(serializer) }
}

//! Job filter rules (`gnt-filter`): what they say of a job.
//!
//! Ganeti: rules are asked by priority, then watermark, then UUID. The first one whose predicates all hold, and whose action
//! is not `CONTINUE`, decides; without one the job is accepted.

use gannet_core::config::FilterRule;
use gannet_core::id::{FilterUuid, JobId};
use gannet_core::job::Job;
use gannet_core::opcode::{OpCode, ReasonEntry};
use gannet_core::query::eval::{Condition, evaluate};
use gannet_core::query::field::Matching;
use gannet_core::query::{Comparison, Filter, FilterValue};
use serde_json::{Value, json};

/// What a rule does with the jobs that it applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// They are accepted; no further rule is asked.
    Accept,
    /// They stay in the queue. Has no effect on a job that runs already.
    Pause,
    /// They are canceled. Has no effect on a job that runs already.
    Reject,
    /// The next rule is asked.
    Continue,
    /// At most so many of them run at once.
    RateLimit(u32),
}

/// A rule that can be applied.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    pub(crate) uuid: FilterUuid,
    pub(crate) action: Action,
    predicates: Vec<Predicate>,
}

#[derive(Debug, Clone, PartialEq)]
enum Predicate {
    /// About the job's number.
    JobId(Filter),
    /// About the fields of one of its opcodes.
    OpCode(Filter),
    /// About one entry of the reason trail of one of its opcodes.
    Reason(Filter),
}

/// The rules in the order in which they are asked. One that cannot be read (of a newer version) is given with what is wrong.
pub(crate) fn compile<'r>(rules: impl IntoIterator<Item = &'r FilterRule>) -> (Vec<Rule>, Vec<(FilterUuid, String)>) {
    let mut sorted: Vec<&FilterRule> = rules.into_iter().collect();
    sorted.sort_by_key(|rule| (rule.priority, rule.watermark, rule.uuid.as_str()));
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for rule in sorted {
        match Rule::read(rule) {
            Ok(rule) => good.push(rule),
            Err(text) => bad.push((rule.uuid.clone(), text)),
        }
    }
    (good, bad)
}

/// The rule that decides about `job`; `None`: it is accepted.
pub(crate) fn deciding<'r>(rules: &'r [Rule], job: &Job) -> Option<&'r Rule> {
    if rules.is_empty() {
        return None;
    }
    // Reading a job's opcodes costs more than all else, and most rules do not look at them.
    let needs_opcodes = rules.iter().flat_map(|rule| &rule.predicates).any(|predicate| matches!(predicate, Predicate::OpCode(_)));
    let opcodes: Vec<Value> =
        if needs_opcodes { job.ops.iter().filter_map(|op| op.input.for_storage().ok()).collect() } else { Vec::new() };
    rules.iter().find(|rule| rule.action != Action::Continue && rule.predicates.iter().all(|predicate| predicate.holds(job, &opcodes)))
}

impl Rule {
    /// Reads a rule of the configuration.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(rule: &FilterRule) -> Result<Self, String> {
        let predicates = rule.predicates.iter().map(|predicate| Predicate::read(predicate, rule.watermark)).collect::<Result<_, _>>()?;
        Ok(Self { uuid: rule.uuid.clone(), action: Action::read(&rule.action)?, predicates })
    }
}

impl Action {
    fn read(action: &Value) -> Result<Self, String> {
        match (action.as_str(), action.as_array().map(Vec::as_slice)) {
            (Some("ACCEPT"), _) => Ok(Self::Accept),
            (Some("PAUSE"), _) => Ok(Self::Pause),
            (Some("REJECT"), _) => Ok(Self::Reject),
            (Some("CONTINUE"), _) => Ok(Self::Continue),
            (_, Some([kind, limit])) if kind == "RATE_LIMIT" => match limit.as_u64().and_then(|limit| u32::try_from(limit).ok()) {
                Some(limit) if limit >= 1 => Ok(Self::RateLimit(limit)),
                _ => Err(format!("the limit of RATE_LIMIT is a number of at least 1, not {limit}")),
            },
            _ => Err(format!("{action} is no action of a filter; there are ACCEPT, PAUSE, REJECT, CONTINUE and [\"RATE_LIMIT\", n]")),
        }
    }
}

impl Predicate {
    fn read(predicate: &Value, watermark: JobId) -> Result<Self, String> {
        let Some([kind, filter]) = predicate.as_array().map(Vec::as_slice) else {
            return Err(format!("{predicate} is no predicate: it is a pair of a kind and a filter"));
        };
        let filter = Filter::try_from(filter).map_err(|error| format!("the predicate {predicate} cannot be read: {error}"))?;
        let only = |fields: &[&str]| match filter.fields().into_iter().find(|name| !fields.contains(name)) {
            Some(unknown) => Err(format!("the predicate {predicate} uses the field '{unknown}'; there are: {}", fields.join(", "))),
            None => Ok(()),
        };
        match kind.as_str() {
            Some("jobid") => {
                only(&["id"])?;
                Ok(Self::JobId(with_watermark(filter, watermark).map_err(|text| format!("the predicate {predicate}: {text}"))?))
            }
            Some("opcode") => Ok(Self::OpCode(filter)),
            Some("reason") => {
                only(&["source", "reason", "timestamp"])?;
                Ok(Self::Reason(filter))
            }
            _ => Err(format!("{kind} is no kind of predicate; there are \"jobid\", \"opcode\" and \"reason\"")),
        }
    }

    fn holds(&self, job: &Job, opcodes: &[Value]) -> bool {
        match self {
            Self::JobId(filter) => accepts(filter, |_| Some(json!(job.id))),
            Self::OpCode(filter) => opcodes.iter().any(|opcode| accepts(filter, |name| nested(opcode, name).cloned())),
            Self::Reason(filter) => reasons(job).any(|entry| accepts(filter, |name| reason_field(entry, name))),
        }
    }
}

/// The reason trails of all opcodes.
pub(crate) fn reasons(job: &Job) -> impl Iterator<Item = &ReasonEntry> {
    job.ops.iter().map(|op| &op.input).flat_map(|OpCode { common, .. }| &common.reason)
}

fn reason_field(entry: &ReasonEntry, name: &str) -> Option<Value> {
    match name {
        "source" => Some(json!(entry.source)),
        "reason" => Some(json!(entry.reason)),
        "timestamp" => Some(json!(entry.timestamp_ns)),
        _ => None,
    }
}

/// A field, or one inside it: `hvparams.acpi`.
fn nested<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        nested(value.get(first)?, rest)
    })
}

/// Whether the filter holds. A condition on a field that is not there, or of another type, does not.
fn accepts(filter: &Filter, field: impl Fn(&str) -> Option<Value>) -> bool {
    let mut ask = |condition: Condition<'_>| {
        let value = field(condition.field());
        let holds = value.is_some_and(|value| condition.holds(&value, Matching::Plain).unwrap_or(false));
        Ok::<_, std::convert::Infallible>(Some(holds))
    };
    matches!(evaluate(filter, &mut ask), Ok(Some(true)))
}

/// Puts the rule's watermark (the highest job number when it was made) where the filter says `"watermark"`.
fn with_watermark(filter: Filter, watermark: JobId) -> Result<Filter, String> {
    let number = i64::try_from(watermark.0).unwrap_or(i64::MAX);
    let value = |value: FilterValue| match value {
        FilterValue::Number(number) => Ok(FilterValue::Number(number)),
        FilterValue::Text(text) if text == "watermark" => Ok(FilterValue::Number(number)),
        FilterValue::Text(text) => Err(format!("a job's number is compared with a number or with \"watermark\", not with \"{text}\"")),
    };
    let each = |filters: Vec<Filter>| filters.into_iter().map(|filter| with_watermark(filter, watermark)).collect::<Result<_, _>>();
    match filter {
        Filter::Empty => Ok(Filter::Empty),
        Filter::And(filters) => Ok(Filter::And(each(filters)?)),
        Filter::Or(filters) => Ok(Filter::Or(each(filters)?)),
        Filter::Not(inner) => Ok(Filter::Not(Box::new(with_watermark(*inner, watermark)?))),
        Filter::Compare(comparison, field, wanted) => Ok(Filter::Compare(comparison, field, value(wanted)?)),
        Filter::True(_) | Filter::Regex(..) | Filter::Contains(..) => {
            let all: Vec<&str> =
                [Comparison::Equal, Comparison::Less, Comparison::Greater, Comparison::LessOrEqual, Comparison::GreaterOrEqual]
                    .map(Comparison::as_str)
                    .to_vec();
            Err(format!("a job's number can only be compared ({})", all.join(" ")))
        }
    }
}

#[cfg(test)]
mod tests;

//! What job filter rules and the job's own reasons say of when it may begin.

use gannet_core::id::FilterUuid;
use gannet_core::job::Job;

use super::scheduler::{Bucket, BucketKey, Lane};
use crate::rule::job_filter::{Action, Rule, deciding, reasons};

/// What becomes of a job that is in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It waits for its turn.
    Queue(Lane),
    /// This rule wants it canceled.
    Reject(FilterUuid),
}

/// Judges a job by `rules`, in their order.
pub(crate) fn judge(rules: &[Rule], job: &Job) -> Verdict {
    let mut buckets: Vec<Bucket> = reasons(job).filter_map(|entry| own_limit(&entry.reason)).collect();
    if let Some(rule) = deciding(rules, job) {
        match rule.action {
            Action::Accept | Action::Continue => {}
            Action::Pause => return Verdict::Queue(Lane::Paused),
            Action::Reject => return Verdict::Reject(rule.uuid.clone()),
            Action::RateLimit(limit) => buckets.push(Bucket { key: BucketKey::Rule(rule.uuid.clone()), limit }),
        }
    }
    // The same limits are the same lane, and a limit counts a job once.
    buckets.sort_unstable();
    buckets.dedup();
    Verdict::Queue(Lane::Within(buckets))
}

/// Ganeti: a reason `rate-limit:N:text` lets at most N jobs with the same reason run at once.
fn own_limit(reason: &str) -> Option<Bucket> {
    let (limit, _) = reason.strip_prefix("rate-limit:")?.split_once(':')?;
    let limit = limit.parse().ok().filter(|limit| *limit >= 1)?;
    Some(Bucket { key: BucketKey::Reason(reason.to_owned()), limit })
}

#[cfg(test)]
mod tests {
    use gannet_core::config::FilterRule;
    use gannet_core::id::JobId;
    use gannet_core::opcode::{OpCode, ReasonEntry};
    use gannet_core::quantity::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::rule::job_filter::compile;

    fn job(reasons: &[&str]) -> Job {
        let mut op = OpCode::from_json(json!({"OP_ID": "OP_TEST_DELAY", "duration": 1.0})).expect("an opcode");
        op.common.reason =
            reasons.iter().map(|reason| ReasonEntry { source: "gnt:user".into(), reason: (*reason).into(), timestamp_ns: 1 }).collect();
        Job::new(JobId(5), vec![op.clone(), op], Timestamp(0))
    }

    fn rule(action: serde_json::Value) -> Vec<Rule> {
        let rule =
            FilterRule { watermark: JobId(0), priority: 0, predicates: vec![], action, reason_trail: vec![], uuid: FilterUuid::from("u1") };
        compile([&rule]).0
    }

    #[test]
    fn reasons_limit_and_rules_decide() {
        assert_eq!(judge(&[], &job(&["maintenance", "rate-limit:x:a", "rate-limit:0:a", "rate-limit:3"])), Verdict::Queue(Lane::OPEN));
        let own = Bucket { key: BucketKey::Reason("rate-limit:2:disks".into()), limit: 2 };
        assert_eq!(
            judge(&[], &job(&["rate-limit:2:disks"])),
            Verdict::Queue(Lane::Within(vec![own.clone()])),
            "both opcodes have it: once"
        );
        let of_rule = Bucket { key: BucketKey::Rule(FilterUuid::from("u1")), limit: 4 };
        let both = judge(&rule(json!(["RATE_LIMIT", 4])), &job(&["rate-limit:2:disks"]));
        assert_eq!(both, Verdict::Queue(Lane::Within(vec![of_rule, own])));
        assert_eq!(judge(&rule(json!("PAUSE")), &job(&[])), Verdict::Queue(Lane::Paused));
        assert_eq!(judge(&rule(json!("REJECT")), &job(&[])), Verdict::Reject(FilterUuid::from("u1")));
        assert_eq!(judge(&rule(json!("ACCEPT")), &job(&[])), Verdict::Queue(Lane::OPEN));
    }
}

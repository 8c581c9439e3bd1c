use std::sync::Arc;

use gannet_core::job::JobStatus;
use gannet_core::opcode::OpCode;
use gannet_core::query::Filter;
use serde_json::json;

use super::*;
use crate::query::table::Style;

fn row(id: u64) -> JobRow {
    let op = OpCode::from_json(json!({"OP_ID": "OP_TEST_DELAY", "duration": 1.0})).unwrap();
    let mut job = Job::new(JobId(id), vec![op.clone(), op], Timestamp(1_000_000));
    for op in &mut job.ops {
        op.status = JobStatus::Success;
    }
    (job.start, job.end) = (Some(Timestamp(2_000_000)), Some(Timestamp(3_000_001)));
    JobRow { job, journal: None }
}

#[test]
fn a_job_in_brief_answers_as_the_whole_one() {
    let row = row(4);
    let brief = Arc::new(Brief::new(&row.job));
    for name in BRIEF_FIELDS {
        let column = Jobs::column(name).unwrap();
        let of = |job| Jobs.cell(Found { id: JobId(4), job, archived: false }, &column).to_value();
        assert_eq!(of(Known::Brief(&brief)), of(Known::Whole(&row.job)), "{name}");
    }
}

#[test]
fn what_a_brief_does_not_have_is_known() {
    let request = |fields: &[&'static str], filter: &str| {
        let fields: Vec<String> = fields.iter().map(|name| (*name).to_owned()).collect();
        needs_whole(&Request { fields: &fields, filter: Filter::parse(filter).unwrap(), style: Style::New })
    };
    assert!(!request(&["id", "status", "summary", "no_such_field"], "status == \"error\""));
    assert!(request(&["id", "opresult"], "status == \"error\""));
    assert!(request(&["id"], "\"x\" in ops"));
}

#[test]
fn the_first_round_lets_pass_what_it_cannot_decide() {
    let row = row(4);
    let brief = Brief::new(&row.job);
    let passes = |filter: &str| {
        let request = Request { fields: &[], filter: Filter::parse(filter).unwrap(), style: Style::New };
        let plan = Plan::new::<Jobs>(&request).unwrap();
        plan.wants(&Jobs, Found { id: JobId(4), job: Known::Brief(&brief), archived: false }).unwrap()
    };
    assert!(passes("\"success\" in opstatus"));
    assert!(passes("\"error\" in opstatus"), "only the row knows");
    assert!(!passes("status == \"error\" and \"error\" in opstatus"));
}

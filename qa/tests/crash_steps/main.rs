//! Daemons die at every step of an operation, one step after the other. Whatever the step: when they run again the job comes
//! to an end that its log explains, what it was about is there whole or as it was before, nothing is left of anything else,
//! and the operation can be done again.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

mod lab;
mod operation;

use gannet_qa::Cluster;
use lab::{Lab, Outcome, Victim};
use operation::{CREATE, OTHERS, Operation};

/// How often the operation went on, was taken back, or had never begun.
#[derive(Debug, Default)]
struct Tally {
    whole: u32,
    undone: u32,
    never: u32,
}

/// One operation, its victim dying at each of its places.
fn at_every_step(lab: &Lab<'_>, operation: &Operation, victim: Victim) -> Tally {
    let Operation { name, prepare, opcode, is_done } = operation;
    prepare(lab);
    let count = lab.places(victim, &opcode(lab));
    let mut tally = Tally::default();
    for number in 1..=count {
        prepare(lab);
        let op = opcode(lab);
        let (place, outcome) = lab.crash(victim, number, &op);
        let what = format!("{name}, {victim:?} at {number} of {count} ({})", place.as_deref().unwrap_or("not reached"));
        lab.sound(&what);
        match outcome {
            Outcome::Never => tally.never += 1,
            Outcome::Job(job) if job.status == "success" => {
                assert!(is_done(lab), "{what}: the job was successful, but it is not done: {}", job.text());
                // The first two places are those of the submission, the third comes before anything is noted.
                // Of an evacuation most places are those of the jobs that it submits.
                let is_alone = job.opresult[0].get("jobs").is_none();
                let is_resumed = victim == Victim::Master && is_alone && (4..count).contains(&number);
                assert!(!is_resumed || job.text().contains("master daemon stopped"), "{what}: the log does not say it: {}", job.text());
                tally.whole += 1;
            }
            Outcome::Job(job) => {
                assert_eq!(job.status, "error", "{what}: {}", job.text());
                let reason = reason(lab, victim);
                assert!(job.text().contains(&reason), "{what}: «{reason}» is not said: {}", job.text());
                println!("{what}: {}", job.opresult);
                tally.undone += 1;
                // What failed can be tried again as it is.
                lab.must(&op);
                assert!(is_done(lab), "{what}: the second try did nothing");
            }
        }
    }
    println!("{name}, {victim:?}: {count} places, {tally:?}");
    assert!(count > 3, "{name}: the places are not where they should be");
    tally
}

/// What the log of a job that failed must say.
fn reason(lab: &Lab<'_>, victim: Victim) -> String {
    match victim {
        Victim::Agent(index) => lab.node(index).name.clone(),
        Victim::Master | Victim::Store | Victim::All => "master daemon stopped".to_owned(),
    }
}

fn creation(victim: Victim) {
    let cluster = Cluster::fake(2);
    let lab = Lab::new(&cluster);
    let tally = at_every_step(&lab, &CREATE, victim);
    assert!(tally.whole > 0 && tally.undone > 0, "{victim:?}: {tally:?}");
}

#[test]
fn a_creation_at_every_step_of_the_master() {
    creation(Victim::Master);
}

#[test]
fn a_creation_at_every_step_of_the_store() {
    creation(Victim::Store);
}

#[test]
fn a_creation_at_every_step_of_the_agent() {
    creation(Victim::Agent(operation::HOME));
}

#[test]
fn a_creation_at_every_step_of_all_daemons() {
    creation(Victim::All);
}

#[test]
fn other_operations_at_every_step_of_the_master() {
    let cluster = Cluster::fake(3);
    let lab = Lab::new(&cluster);
    for operation in OTHERS {
        at_every_step(&lab, operation, Victim::Master);
    }
}

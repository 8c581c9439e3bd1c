//! harep: repairs as far as tags allow them.
//!
//! A run looks after the repairs of earlier runs first, then begins those that are needed. What it knows of a repair is in tags of
//! the instance.

mod master;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use gannet_core::id::JobId;
use gannet_core::job::JobStatus;
use gannet_core::opcode::{Common, OpCode, TestDelay};
use serde_json::Value;

use super::option::Options;
use super::{Failure, Io, source};
use crate::cluster::Cluster;
use crate::repair::{Kind, Outcome, Patient, Policy, Record, Repair, Status, broken, policies};
use crate::show::haskell;
use master::Master;

pub(super) fn run(options: &Options, arguments: &[String], io: &mut Io<'_>) -> Result<(), Failure> {
    if !arguments.is_empty() {
        return Err(Failure::error("this program doesn't take any arguments."));
    }
    let options = &Options { luxi: Some(options.luxi.clone().unwrap_or_default()), ..options.clone() };
    let cluster = source::load(options, io)?.cluster;
    let allowed = policies(&cluster, now());
    let patients: Result<Vec<Patient>, String> =
        cluster.instance_ids().map(|id| Patient::new(id, &cluster.instance(id).name, &cluster.instance(id).tags)).collect();
    let patients = patients.map_err(|error| Failure::error(format!("when parsing auto-repair tags: {error}")))?;
    let mut run = Run { options, cluster: &cluster, master: Master::connect(options)?, io };
    let patients: Vec<Patient> = patients.into_iter().map(|patient| run.follow(patient)).collect::<Result<_, _>>()?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (patient, policy) in patients.into_iter().zip(allowed) {
        let repair = broken(&cluster, cluster.instance(patient.instance));
        let after = match (&patient.status, repair) {
            (Status::Healthy(_), Some(repair)) => run.repair(patient, policy, repair)?,
            _ => patient,
        };
        *counts.entry(after.status.name()).or_default() += 1;
    }
    let line = "---------------------";
    let counts: String = counts.iter().map(|(name, count)| format!("{name}: {count}\n")).collect();
    run.io.say(&format!("{line}\nInstance status count\n{line}\n{counts}"))
}

/// Seconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|time| i64::try_from(time.as_secs()).ok()).unwrap_or(0)
}

/// A time as messages show it, in the time zone of this machine.
fn local_time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| format!("{seconds} seconds after 1970"),
        |time| time.to_zoned(jiff::tz::TimeZone::system()).strftime("%a %b %e %H:%M:%S %Z %Y").to_string(),
    )
}

/// What an opcode says of its own, as Ganeti writes it.
fn parameters(opcode: &OpCode) -> serde_json::Result<Value> {
    let mut shown = serde_json::to_value(opcode)?;
    if let Value::Object(fields) = &mut shown {
        fields.retain(|name, value| !value.is_null() && !Common::NAMES.contains(&name.as_str()));
        for value in fields.values_mut() {
            // Whole seconds without a point.
            if let Some(number) = value.as_f64().filter(|number| number.fract() == 0.0) {
                *value = crate::node::truncated(number).into();
            }
        }
    }
    Ok(shown)
}

struct Run<'a, 'io> {
    options: &'a Options,
    cluster: &'a Cluster,
    master: Master,
    io: &'a mut Io<'io>,
}

impl Run<'_, '_> {
    /// Looks after a repair that is under way.
    fn follow(&mut self, mut patient: Patient) -> Result<Patient, Failure> {
        let Status::Pending(record) = &patient.status else { return Ok(patient) };
        let states = self.master.states(&record.jobs)?;
        if states.iter().flatten().any(|state| !state.is_final()) {
            return Ok(patient);
        }
        let name = self.name(&patient);
        for (job, state) in record.jobs.iter().zip(&states) {
            if state.is_none() {
                self.io.complain(&format!("{name}: nothing is known of job {job} any more; the repair counts as failed\n"));
            }
        }
        let succeeded = states.iter().all(|state| *state == Some(JobStatus::Success));
        let status = if succeeded {
            Status::Healthy(Some(record.ended(now(), Outcome::Success)))
        } else {
            Status::Failed(record.ended(now(), Outcome::Failure))
        };
        let (from, to) = (haskell::string(patient.status.name()), haskell::string(status.name()));
        self.io.say(&format!("Moving {name} from {from} to {to}\n"))?;
        patient.becomes(status);
        self.commit(patient)
    }

    /// Begins a repair, if it is allowed.
    fn repair(&mut self, mut patient: Patient, policy: Policy, repair: Repair) -> Result<Patient, Failure> {
        let name = self.name(&patient);
        let kind = repair.kind;
        let Policy::Enabled(most) = policy else {
            self.io.say(&format!("Not repairing {name} because it's in state {}\n", policy.shown(local_time)))?;
            return Ok(patient);
        };
        if kind > most {
            self.io.say(&format!(
                "Not performing a repair of type {} on {name} because only repairs up to {} are allowed\n",
                kind.shown(),
                most.shown()
            ))?;
            patient.becomes(Status::NeedsRepair(Self::record(kind, Vec::new(), Some(Outcome::Enoperm))));
            return self.commit(patient);
        }
        self.io.say_now(&format!("Executing {} repair on {name}\n", kind.shown()))?;
        let job = self.job(repair.opcodes);
        let jobs = if self.options.dry_run {
            let shown = job.iter().map(parameters).collect::<Result<_, _>>().map_err(|error| Failure::error(error.to_string()))?;
            self.io.say(&format!("jobs: {}\n", Value::Array(vec![Value::Array(shown)])))?;
            Vec::new()
        } else {
            self.master.submit(job)?
        };
        patient.becomes(Status::Pending(Self::record(kind, jobs, None)));
        self.commit(patient)
    }

    /// The job of a repair. It waits first, so that the tag about it can be set while nothing is locked yet.
    fn job(&self, opcodes: Vec<OpCode>) -> Vec<OpCode> {
        let delay = self.options.job_delay;
        let wait = (delay > 0.0).then(|| TestDelay { no_locks: false, ..TestDelay::new(delay) }.into());
        wait.into_iter().chain(opcodes).collect()
    }

    fn record(kind: Kind, jobs: Vec<JobId>, outcome: Option<Outcome>) -> Record {
        Record::new(kind, uuid::Uuid::new_v4().to_string(), now(), jobs, outcome)
    }

    /// Writes the status down in tags.
    fn commit(&mut self, mut patient: Patient) -> Result<Patient, Failure> {
        let name = self.name(&patient);
        if let Some(record) = patient.status.record() {
            self.io.say_now(&format!(">>> Adding the following tag to {name}:\n{}\n", haskell::string(&record.tag)))?;
            if !self.options.dry_run {
                self.master.set_tags(&name, vec![record.tag.clone()])?;
            }
        }
        if !patient.outdated.is_empty() {
            let tags: String = patient.outdated.iter().map(|tag| format!("{}\n", haskell::string(tag))).collect();
            self.io.say_now(&format!(">>> Removing the following tags from {name}:\n{tags}"))?;
            if !self.options.dry_run {
                self.master.remove_tags(&name, std::mem::take(&mut patient.outdated))?;
            }
        }
        patient.outdated.clear();
        Ok(patient)
    }

    fn name(&self, patient: &Patient) -> String {
        self.cluster.instance(patient.instance).name.clone()
    }
}

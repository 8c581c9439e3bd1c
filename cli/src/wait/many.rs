//! Several jobs at a time: submitted together, followed one after the other.

use gannet_core::id::JobId;
use gannet_core::luxi::Method;
use gannet_core::opcode::OpCode;
use serde_json::{Value, json};

use super::{follow, job_id};
use crate::context::Context;
use crate::exit::{Failure, SUCCESS};

/// How one of several jobs ended.
#[derive(Debug)]
pub struct JobResult {
    /// What it was for; empty when that does not matter.
    pub name: String,
    /// The results of its opcodes, or why it failed.
    pub result: Result<Vec<Value>, Failure>,
}

/// A set of jobs.
#[derive(Debug)]
pub struct Jobs {
    verbose: bool,
    queue: Vec<(String, Vec<OpCode>)>,
    submitted: Vec<(String, Result<JobId, String>)>,
}

impl Jobs {
    /// None yet. With `verbose` each job's name is told when it is followed.
    #[must_use]
    pub fn new(verbose: bool) -> Self {
        Self { verbose, queue: Vec::new(), submitted: Vec::new() }
    }

    /// Adds a job to submit.
    pub fn add(&mut self, name: impl Into<String>, ops: Vec<OpCode>) {
        self.queue.push((name.into(), ops));
    }

    /// Adds a job that the master submitted (`[success, id or error]`).
    pub fn add_submitted(&mut self, success: bool, id: &Value) {
        let job = match (success, job_id(id)) {
            (true, Ok(job)) => Ok(job),
            _ => Err(id.as_str().map_or_else(|| id.to_string(), str::to_owned)),
        };
        self.submitted.push((String::new(), job));
    }

    /// Submits all, and follows them unless `--submit` was given; gives one result for each.
    ///
    /// # Errors
    /// The master refused all of them, or [`Failure::Silent`] after `--submit`.
    pub fn run(mut self, context: &mut Context<'_>) -> Result<Vec<JobResult>, Failure> {
        self.submit(context)?;
        if context.args.flag("submit") {
            return Err(self.show(context));
        }
        if context.args.flag("print-jobid") {
            for (_, job) in &self.submitted {
                if let Ok(job) = job {
                    context.io.line(job);
                }
            }
            context.io.flush();
        }
        self.wait(context)
    }

    /// Submits what waits, without following it.
    ///
    /// # Errors
    /// The master cannot be asked.
    pub fn submitted_in(mut self, context: &mut Context<'_>) -> Result<Self, Failure> {
        self.submit(context)?;
        Ok(self)
    }

    /// Adds the submitted jobs of another set.
    pub fn join(&mut self, other: Self) {
        self.submitted.extend(other.submitted);
    }

    /// Follows what was submitted.
    ///
    /// # Errors
    /// The connection to the master is lost; a failed job is a result.
    pub fn wait(self, context: &mut Context<'_>) -> Result<Vec<JobResult>, Failure> {
        let ids: Vec<String> = self.submitted.iter().filter_map(|(_, job)| job.as_ref().ok()).map(JobId::to_string).collect();
        if !ids.is_empty() && (self.verbose || ids.len() > 1) {
            context.io.line(format_args!("Submitted jobs {}", ids.join(", ")));
            context.io.flush();
        }
        let mut results = Vec::new();
        for (name, job) in self.submitted {
            results.push(JobResult { result: one(context, self.verbose, &name, job)?, name });
        }
        Ok(results)
    }

    fn submit(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        if self.queue.is_empty() {
            return Ok(());
        }
        let (names, jobs): (Vec<_>, Vec<_>) = std::mem::take(&mut self.queue).into_iter().unzip();
        let answer = context.call(Method::SubmitManyJobs, &json!([jobs]))?;
        let answers = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        for (name, answer) in names.into_iter().zip(answers) {
            let (success, id) = super::pair(answer).unwrap_or((false, answer));
            self.add_submitted(success, id);
            if let Some(last) = self.submitted.last_mut() {
                last.0 = name;
            }
        }
        Ok(())
    }

    /// `--submit`: tells the ids.
    fn show(&self, context: &mut Context<'_>) -> Failure {
        let mut code = SUCCESS;
        for (name, job) in &self.submitted {
            match job {
                Ok(job) if name.is_empty() => context.io.line(format_args!("JobID: {job}")),
                Ok(job) => context.io.line(format_args!("{job}: {name}")),
                Err(error) => {
                    context.io.note(format_args!("Failure for {name}: {error}"));
                    code = crate::exit::FAILURE;
                }
            }
        }
        Failure::Silent(code)
    }
}

/// Follows one of them and tells when it failed. Losing the master fails all.
fn one(context: &mut Context<'_>, verbose: bool, name: &str, job: Result<JobId, String>) -> Result<Result<Vec<Value>, Failure>, Failure> {
    let purpose = if name.is_empty() { String::new() } else { format!(" for {name}") };
    let job = match job {
        Ok(job) => job,
        Err(error) => {
            context.io.note(format_args!("Failed to submit job{purpose}: {error}"));
            return Ok(Err(Failure::Refused(error)));
        }
    };
    if verbose {
        context.io.line(format_args!("Waiting for job {job}{purpose} ..."));
        context.io.flush();
    }
    match follow(context, job) {
        Ok(results) => Ok(Ok(results)),
        Err(failure @ Failure::Remote(_)) => {
            let message = failure.message().unwrap_or_default();
            context.io.note(format_args!("Job {job}{purpose} has failed: {message}"));
            Ok(Err(failure))
        }
        Err(other) => Err(other),
    }
}

/// Tells whether all went well, and gives the exit code; `{}` in `bad` is the number of failures.
pub fn conclude(context: &mut Context<'_>, results: &[JobResult], good: &str, bad: &str) -> u8 {
    match results.iter().filter(|job| job.result.is_err()).count() {
        0 => {
            context.io.line(good);
            SUCCESS
        }
        count => {
            context.io.line(bad.replace("{}", &count.to_string()));
            crate::exit::FAILURE
        }
    }
}

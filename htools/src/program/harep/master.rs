//! The jobs of harep, by LUXI.

use gannet_core::id::JobId;
use gannet_core::job::JobStatus;
use gannet_core::luxi::Client;
use gannet_core::opcode::{OpCode, TagKind, TagsDel, TagsSet};

use super::super::execute::{self, Mark};
use super::super::{Failure, Options, backend};

/// The master daemon, for one run.
pub(super) struct Master {
    client: Client,
    mark: Mark,
}

impl Master {
    pub(super) fn connect(options: &Options) -> Result<Self, Failure> {
        let client = backend::luxi::connect(options).map_err(Failure::error)?;
        Ok(Self { client, mark: Mark::new(options, "harep", "automated repairs by harep") })
    }

    /// States of jobs; `None`: there is no such job.
    pub(super) fn states(&mut self, jobs: &[JobId]) -> Result<Vec<Option<JobStatus>>, Failure> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        execute::states(&mut self.client, jobs).map_err(|error| Failure::error(format!("could not check job status: {error}")))
    }

    /// Submits a job.
    pub(super) fn submit(&mut self, job: Vec<OpCode>) -> Result<Vec<JobId>, Failure> {
        let job = job.into_iter().map(|opcode| self.mark.put(opcode)).collect();
        execute::submit(&mut self.client, vec![job]).map_err(Failure::error)
    }

    /// Puts tags on an instance.
    pub(super) fn set_tags(&mut self, instance: &str, tags: Vec<String>) -> Result<(), Failure> {
        let opcode = TagsSet { name: Some(instance.to_owned()), ..TagsSet::new(TagKind::Instance, tags) };
        self.run(opcode.into())
    }

    /// Takes tags off an instance.
    pub(super) fn remove_tags(&mut self, instance: &str, tags: Vec<String>) -> Result<(), Failure> {
        let opcode = TagsDel { name: Some(instance.to_owned()), ..TagsDel::new(TagKind::Instance, tags) };
        self.run(opcode.into())
    }

    /// A job of one opcode that must succeed, and is waited for.
    fn run(&mut self, opcode: OpCode) -> Result<(), Failure> {
        let jobs = self.submit(vec![opcode])?;
        let ended = execute::wait(&mut self.client, &jobs).map_err(Failure::error)?;
        let failed: Vec<String> =
            ended.iter().filter(|(_, status)| *status != JobStatus::Success).map(|(id, status)| format!("{id}=>{status}")).collect();
        if failed.is_empty() { Ok(()) } else { Err(Failure::error(format!("The following jobs failed: {}", failed.join(", ")))) }
    }
}

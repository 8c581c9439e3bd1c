//! Things that must be unique and that a job has picked in its check, before they are written: MAC addresses, ports, names.
//!
//! They live in memory: a new master has none, and the jobs that it resumes have theirs in their plans.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gannet_core::id::{DiskUuid, JobId};

/// What is reserved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A MAC address, lower case.
    Mac(String),
    /// A TCP port for a console.
    Port(u16),
    /// An instance name that will exist.
    InstanceName(String),
    /// An IP address in a network.
    Ip(String),
    /// A path of a disk.
    Path(String),
    /// A disk of nobody that is being attached.
    Disk(DiskUuid),
}

/// All reservations. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Reservations {
    taken: Arc<Mutex<HashMap<Resource, JobId>>>,
}

impl Reservations {
    /// Reserves `resource` for `job`; false when another job has it.
    pub fn take(&self, resource: Resource, job: JobId) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken.entry(resource).or_insert(job) == job
    }

    /// Whether another job than `job` has it.
    #[must_use]
    pub fn is_taken(&self, resource: &Resource, job: JobId) -> bool {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).get(resource).is_some_and(|owner| *owner != job)
    }

    /// Gives back all that `job` has.
    pub fn release(&self, job: JobId) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, owner| *owner != job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_has_one_owner() {
        let all = Reservations::default();
        assert!(all.take(Resource::Port(11000), JobId(1)));
        assert!(all.take(Resource::Port(11000), JobId(1)));
        assert!(!all.take(Resource::Port(11000), JobId(2)));
        all.release(JobId(1));
        assert!(all.take(Resource::Port(11000), JobId(2)));
        assert!(all.is_taken(&Resource::Port(11000), JobId(3)));
    }
}

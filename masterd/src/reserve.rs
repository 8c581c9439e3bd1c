//! Things that must be unique and that a job has picked in its check, before they are written: MAC addresses, ports, names.
//!
//! They live in memory: a new master has none, and the jobs that it resumes have theirs in their plans.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gannet_core::config::Config;
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
    /// The name of a node group that will exist.
    GroupName(String),
    /// The name of a network that will exist.
    NetworkName(String),
    /// An IP address in a network.
    Ip(String),
    /// A path of a disk.
    Path(String),
    /// A disk of nobody that is being attached.
    Disk(DiskUuid),
}

impl Resource {
    /// Whether something in the configuration has it already.
    #[must_use]
    pub fn is_used(&self, config: &Config) -> bool {
        match self {
            Self::Mac(mac) => config.instances().flat_map(|instance| &instance.nics).any(|nic| nic.mac.eq_ignore_ascii_case(mac)),
            Self::Port(port) => config.instances().any(|instance| instance.network_port == Some(*port)),
            Self::InstanceName(name) => config.instances().any(|instance| instance.name.as_str() == name),
            Self::GroupName(name) => config.groups().any(|group| group.name == *name),
            Self::NetworkName(name) => config.networks().any(|network| network.name == *name),
            Self::Disk(disk) => config.instances().any(|instance| instance.disks.contains(disk)),
            // What a pool or a directory has is known to their own rules.
            Self::Ip(_) | Self::Path(_) => false,
        }
    }
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
    fn what_the_configuration_has_is_used() {
        let config = crate::rule::sample::config();
        let group = config.groups().next().expect("the sample has one").name.clone();
        assert!(Resource::GroupName(group).is_used(&config));
        assert!(!Resource::GroupName("other".into()).is_used(&config));
        let instance = config.instances().next().expect("the sample has one");
        assert!(Resource::InstanceName(instance.name.to_string()).is_used(&config));
        assert!(Resource::Mac(instance.nics[0].mac.to_uppercase()).is_used(&config));
        assert!(!Resource::Mac("aa:00:00:ff:ff:ff".into()).is_used(&config) && !Resource::Port(11000).is_used(&config));
    }

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

//! The hypervisors of this agent, by name.

use std::sync::Arc;

use gannet_core::paths::Paths;

use super::{Error, Hypervisor, fake::Fake, kvm::Kvm};

/// All hypervisors that are built in. Whether one works on this node, its `node_facts` say.
pub struct Hypervisors {
    all: Vec<Arc<dyn Hypervisor>>,
}

impl Hypervisors {
    /// The built-in hypervisors. Nothing is started or connected before it is used.
    #[must_use]
    pub fn new(paths: &Paths, node_name: &str) -> Self {
        Self { all: vec![Arc::new(Fake::new(paths)), Arc::new(Kvm::new(paths, node_name))] }
    }

    /// The hypervisor of that name.
    ///
    /// # Errors
    /// `Unsupported` for a name that is not built in.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Hypervisor>, Error> {
        self.all.iter().find(|hypervisor| hypervisor.name() == name).ok_or_else(|| {
            Error::Unsupported(format!("hypervisor {name} is not supported yet by Gannet; supported: {}", self.names().join(", ")))
        })
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.all.iter().map(|hypervisor| hypervisor.name()).collect()
    }
}

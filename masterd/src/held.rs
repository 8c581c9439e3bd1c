//! What a check may use: the configuration, questions to nodes, reservations. Nothing here changes configuration or nodes.

use std::sync::Arc;

use gannet_core::config::{Config, Instance, Node};
use gannet_core::id::{InstanceUuid, JobId, NodeUuid};
use gannet_core::lock::Lock;
use gannet_core::opcode::Common;
use gannet_core::quantity::Timestamp;

use crate::job::{JobLog, OpContext};
use crate::lock::Grant;
use crate::node::NodeReads;
use crate::refusal::Refusal;
use crate::reserve::{Reservations, Resource};
use crate::store::State;

/// The view of an opcode that holds its locks.
pub struct Held<'a> {
    context: &'a OpContext,
    grant: &'a Grant,
    state: Arc<State>,
    common: Common,
}

impl<'a> Held<'a> {
    pub(crate) fn new(context: &'a OpContext, grant: &'a Grant) -> Self {
        let common = context.cell.read(|row| row.job.ops[context.op].input.common.clone());
        Self { context, grant, state: context.master.store().state(), common }
    }

    /// One consistent configuration: that of the moment when the locks were had.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.state.config
    }

    /// The same with revisions, for [`crate::store::Changes`].
    #[must_use]
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// The services of the master, for rules that need more than this (the allocator, live data).
    #[must_use]
    pub fn context(&self) -> &OpContext {
        self.context
    }

    /// The parameters that every opcode has.
    #[must_use]
    pub fn common(&self) -> &Common {
        &self.common
    }

    /// Whether the lock is held; of interest for opportunistic ones.
    #[must_use]
    pub fn holds(&self, lock: &Lock) -> bool {
        self.grant.covers(lock)
    }

    /// Now. A plan stores it where `execute` needs it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.context.master.clock().now()
    }

    /// The job.
    #[must_use]
    pub fn job_id(&self) -> JobId {
        self.context.cell.id()
    }

    /// The job's log, for warnings and for saying what was chosen.
    #[must_use]
    pub fn log(&self) -> JobLog {
        self.context.log()
    }

    /// The instance that `name` means.
    ///
    /// # Errors
    /// [`Refusal`] with `unknown_entity` or `wrong_input`.
    pub fn instance(&self, name: &str) -> Result<&Arc<Instance>, Refusal> {
        Ok(self.config().find_instance(name)?)
    }

    /// The node that `name` means.
    ///
    /// # Errors
    /// [`Refusal`] with `unknown_entity` or `wrong_input`.
    pub fn find_node(&self, name: &str) -> Result<&Arc<Node>, Refusal> {
        Ok(self.config().find_node(name)?)
    }

    /// The node with this UUID.
    ///
    /// # Errors
    /// [`Refusal`] when it is not in the configuration.
    pub fn node(&self, uuid: &NodeUuid) -> Result<&Arc<Node>, Refusal> {
        self.config().node(uuid).ok_or_else(|| Refusal::no_entity(format!("Node '{uuid}' not known")))
    }

    /// The instance with this UUID.
    ///
    /// # Errors
    /// [`Refusal`] when it is not in the configuration.
    pub fn instance_by_uuid(&self, uuid: &InstanceUuid) -> Result<&Arc<Instance>, Refusal> {
        self.config().instance(uuid).ok_or_else(|| Refusal::no_entity(format!("Instance '{uuid}' not known")))
    }

    /// Questions to a node; refused with a clear text when it is offline.
    ///
    /// # Errors
    /// [`Refusal`] with `environment_error`.
    pub fn ask(&self, uuid: &NodeUuid) -> Result<NodeReads, Refusal> {
        let node = self.node(uuid)?;
        if node.offline {
            return Err(Refusal::state(format!(
                "Node {} is marked offline, cannot use it; bring it back with `gnt-node modify --offline=no {}`",
                node.name, node.name
            )));
        }
        Ok(self.context.master.nodes().reads(node)?)
    }

    /// Reserves something for this job until it ends; false when another job has it, or something in the configuration.
    ///
    /// Whoever had it reserved before has written it by now, perhaps after this job has got its view of the configuration: the
    /// newest one decides.
    #[must_use]
    pub fn reserve(&self, resource: Resource) -> bool {
        if !self.reservations().take(resource.clone(), self.job_id()) {
            return false;
        }
        let newest = self.context.master.store().state();
        !resource.is_used(&newest.config)
    }

    /// All reservations.
    #[must_use]
    pub fn reservations(&self) -> &Reservations {
        self.context.master.reservations()
    }
}

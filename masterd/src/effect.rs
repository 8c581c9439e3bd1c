//! Effects: what can be done to a node, as data, each with its undo beside it.
//!
//! An effect is idempotent on the node: repeating one that has happened is harmless. Its undo may be called when it is not
//! known whether the effect happened (the intent was written, the master died): it must then do no harm either.

mod disk;
mod files;
mod instance;
mod migration;
mod node;
mod os;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::job::JobLog;
use crate::node::{NodeError, NodeHandle};

pub use disk::{
    DiskAssemble, DiskCopy, DiskCreate, DiskGrow, DiskRemove, DiskRename, DiskShutdown, DiskWipe, FileDirCreate, FileDirRemove,
    FileDirRename,
};
pub use files::{FileUpload, MasterIpStart, MasterIpStop, SsconfWrite};
pub use instance::{InstanceBalloon, InstanceHotplug, InstanceReboot, InstanceRename, InstanceShutdown, InstanceStart};
pub use migration::{MigrationPrepare, MigrationRun, MigrationSettle};
pub use node::{LeaveCluster, TestDelay};
pub use os::{OsCreate, OsExport, OsImport, OsRename};

/// What an effect found.
#[derive(Debug)]
pub enum Done<R> {
    /// It changed something: an undo takes it back.
    Changed(R),
    /// It was so already: there is nothing to take back.
    AlreadyThere(R),
}

/// An idempotent call to a node that is data, so that it can be journaled, repeated and shown.
pub trait NodeEffect: Clone + Into<AnyEffect> + Send + Sync + 'static {
    /// Its name in logs.
    const NAME: &'static str;
    /// Whether it is simply done again when the node's agent died meanwhile. False for what leaves a half-done thing that a
    /// second run may stumble over.
    const REPEATS: bool = true;
    /// What it answers; stored in the journal.
    type Reply: Serialize + DeserializeOwned + Send + 'static;

    /// What it does, for the operator: completes "could not …".
    fn describe(&self) -> String;

    /// Does it.
    fn run(&self, node: &NodeHandle, log: &JobLog) -> impl Future<Output = Result<Done<Self::Reply>, NodeError>> + Send;

    /// Takes it back. `reply` is `None` when it is not known whether it happened.
    fn undo(&self, node: &NodeHandle, reply: Option<&Self::Reply>) -> impl Future<Output = Result<(), NodeError>> + Send;
}

/// Declares the registry, so that an effect cannot be journaled without having its undo there.
macro_rules! registry {
    ($($name:ident,)+) => {
        /// Any effect, as the journal stores it.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "effect", content = "of")]
        #[allow(clippy::large_enum_variant, reason = "journals are short, and stored boxed")]
        pub enum AnyEffect {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)+
        }

        $(impl From<$name> for AnyEffect {
            fn from(effect: $name) -> Self {
                Self::$name(effect)
            }
        })+

        impl AnyEffect {
            /// What it does, for the operator.
            #[must_use]
            pub fn describe(&self) -> String {
                match self {
                    $(Self::$name(effect) => effect.describe(),)+
                }
            }

            /// Takes it back; `reply` as the journal has it.
            ///
            /// # Errors
            /// [`NodeError`].
            pub async fn undo(&self, node: &NodeHandle, reply: Option<&Value>, log: &JobLog) -> Result<(), NodeError> {
                match self {
                    $(Self::$name(effect) => {
                        let reply = reply.and_then(|reply| match serde_json::from_value(reply.clone()) {
                            Ok(reply) => Some(reply),
                            Err(error) => {
                                log.warn(format!("the stored answer of «{}» cannot be read: {error}", effect.describe()));
                                None
                            }
                        });
                        Box::pin(effect.undo(node, reply.as_ref())).await
                    })+
                }
            }
        }
    };
}

registry! {
    DiskAssemble,
    DiskCopy,
    DiskCreate,
    DiskGrow,
    DiskRemove,
    DiskRename,
    DiskShutdown,
    DiskWipe,
    FileDirCreate,
    FileDirRemove,
    FileDirRename,
    FileUpload,
    InstanceBalloon,
    InstanceHotplug,
    InstanceReboot,
    InstanceRename,
    InstanceShutdown,
    InstanceStart,
    LeaveCluster,
    MasterIpStart,
    MasterIpStop,
    MigrationPrepare,
    MigrationRun,
    MigrationSettle,
    OsCreate,
    OsExport,
    OsImport,
    OsRename,
    SsconfWrite,
    TestDelay,
}

/// Declares an effect that is one request with a fixed reply and an undo that is given.
macro_rules! effect {
    (
        $(#[$doc:meta])* $name:ident($request:ty) -> $reply:ty, $text:literal,
        $(repeats($repeats:literal))?
        describe($d:ident) $describe:block
        run($self:ident, $node:ident, $log:ident) $run:block
        undo($uself:ident, $unode:ident, $ureply:ident) $undo:block
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub $request);

        impl crate::effect::NodeEffect for $name {
            const NAME: &'static str = $text;
            $(const REPEATS: bool = $repeats;)?
            type Reply = $reply;

            fn describe(&self) -> String {
                let $d = self;
                $describe
            }

            async fn run(&self, $node: &crate::node::NodeHandle, $log: &crate::job::JobLog) -> Result<crate::effect::Done<$reply>, crate::node::NodeError> {
                let $self = self;
                $run
            }

            async fn undo(&self, $unode: &crate::node::NodeHandle, $ureply: Option<&$reply>) -> Result<(), crate::node::NodeError> {
                let $uself = self;
                $undo
            }
        }
    };
}

pub(crate) use effect;

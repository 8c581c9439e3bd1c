//! Opcodes: what a job can be asked to do. Here are their parameters only; what they do is in gannet-masterd.
//!
//! On the wire an opcode is one flat JSON object: `OP_ID`, the parameters of the opcode and the [`Common`] ones.
//! Reading is strict, writing writes every parameter, also those at their default.

pub mod backup;
pub mod cluster;
pub mod default;
pub mod ext_storage;
pub mod group;
pub mod instance;
pub mod network;
pub mod node;
pub mod os;
pub mod query;
pub mod tags;
pub mod test;

mod check;
mod common;
mod device;
mod error;
mod hook;
mod modification;
mod op;
mod read;
#[cfg(any(test, feature = "samples"))]
mod sample;
mod secret;

#[cfg(test)]
mod parity_test;

use serde::de::{self, DeserializeOwned};
use serde::ser;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub use backup::*;
pub use check::MAX_DISKS;
pub use cluster::*;
pub use common::{Common, Dependency, FinalStatus, InvalidPriority, JobRef, Priority, ReasonEntry};
pub use device::{DiskParamsRequest, DiskValue, NicParam, NicParamsRequest};
pub use error::Error;
pub use ext_storage::*;
pub use group::*;
pub use hook::{HookPath, HookType};
pub use instance::*;
pub use modification::{ListChange, Mod, ModAction, ModTarget, Mods};
pub use network::*;
pub use node::*;
pub use op::Op;
pub use os::*;
pub use query::*;
pub use secret::{Private, REDACTED, Secret, is_confidential};
pub use tags::*;
pub use test::*;

/// A JSON object whose keys are checked elsewhere.
pub type Dict = Map<String, Value>;

/// What is known of an opcode from its parameters alone.
pub trait Parameters: Serialize + DeserializeOwned + Into<Op> {
    /// The name on the wire.
    const OP_ID: &'static str;
    /// The hooks that run around it.
    const HOOKS: Option<(HookPath, HookType)> = None;
    /// Whether it runs alone, under the exclusive cluster lock.
    const NEEDS_BGL: bool = false;

    /// What the summary shows in parentheses.
    fn subject(&self) -> Option<String> {
        None
    }
}

/// What became of the secret values of an opcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// It has none.
    None,
    /// They are there; [`OpCode::for_storage`] cuts them out.
    Held,
    /// It was read from a record: the marker is in their place, and the job has to be submitted again.
    Lost,
}

/// An opcode as it is submitted.
#[derive(Debug, Clone, PartialEq)]
pub struct OpCode {
    /// Parameters that every opcode has.
    pub common: Common,
    /// Which opcode, and its own parameters.
    pub op: Op,
}

impl<T: Into<Op>> From<T> for OpCode {
    fn from(op: T) -> Self {
        Self { common: Common::default(), op: op.into() }
    }
}

impl OpCode {
    /// Reads the form on the wire.
    ///
    /// # Errors
    /// No such opcode; or a parameter is missing, unknown, of the wrong type or out of range.
    pub fn from_json(value: Value) -> Result<Self, Error> {
        let Value::Object(mut own) = value else { return Err(Error::NotAnObject) };
        let Some(Value::String(op_id)) = own.remove("OP_ID") else { return Err(Error::NoOpId) };
        let known_id = Op::known_id(&op_id).ok_or(Error::UnknownOpId(op_id))?;
        let common = Common::NAMES.iter().filter_map(|name| own.remove_entry(*name)).collect();
        Ok(Self { common: read::parameters(known_id, common)?, op: Op::read(known_id, own)? })
    }

    /// Whether clients may submit it: what [`OpCode::from_json`] accepts from stored jobs only is refused.
    ///
    /// # Errors
    /// The priority is one that only the queue gives.
    pub fn check_submit(&self) -> Result<(), Error> {
        if self.common.priority.is_submittable() {
            return Ok(());
        }
        Err(Error::Invalid {
            op_id: self.op.id(),
            parameter: "priority".to_owned(),
            detail: format!("priority {} cannot be asked for, use -10, 0 or 10", self.common.priority.get()),
        })
    }

    /// The form for the job's record: secret values are replaced by [`REDACTED`].
    ///
    /// # Errors
    /// A float in the opcode is no number.
    pub fn for_storage(&self) -> serde_json::Result<Value> {
        self.object().map(|mut object| {
            secret::cut_secret(&mut object);
            Value::Object(object)
        })
    }

    /// The form for people: private and secret values are replaced by [`REDACTED`].
    ///
    /// # Errors
    /// A float in the opcode is no number.
    pub fn for_display(&self) -> serde_json::Result<Value> {
        self.object().map(|mut object| {
            secret::cut_confidential(&mut object);
            Value::Object(object)
        })
    }

    /// Whether secret values are there, or were cut out because it was stored.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let Ok(object) = self.object() else { return Secrets::None };
        let mut cut = object.clone();
        match secret::cut_secret(&mut cut) {
            false => Secrets::None,
            true if cut == object => Secrets::Lost,
            true => Secrets::Held,
        }
    }

    /// For `#[serde(serialize_with)]` on a field of a record: writes [`OpCode::for_storage`].
    ///
    /// # Errors
    /// A float in the opcode is no number, or the serializer fails.
    pub fn serialize_for_storage<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.for_storage().map_err(ser::Error::custom)?.serialize(serializer)
    }

    fn object(&self) -> serde_json::Result<Dict> {
        let mut object = Dict::new();
        object.insert("OP_ID".to_owned(), Value::String(self.op.id().to_owned()));
        for part in [serde_json::to_value(&self.common)?, self.op.write()?] {
            let Value::Object(part) = part else { return Err(<serde_json::Error as ser::Error>::custom("parameters are an object")) };
            object.extend(part);
        }
        Ok(object)
    }
}

/// Writes all values, also private and secret ones: the form between client and master.
impl Serialize for OpCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.object().map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OpCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

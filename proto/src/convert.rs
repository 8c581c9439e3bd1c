//! Between the domain's values and the messages.

use std::collections::{BTreeMap, HashMap};

use gannet_core::config::{Disk, LogicalId, ParamMap};
use serde_json::Value;

use crate::node::{DiskRef, ParamValue, param_value};

impl ParamValue {
    /// The message of a JSON scalar; `None` for null, lists and objects, which no parameter is.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let value = match value {
            Value::Bool(boolean) => param_value::Value::Boolean(*boolean),
            Value::Number(number) => match number.as_i64() {
                Some(integer) => param_value::Value::Integer(integer),
                None => param_value::Value::Number(number.as_f64()?),
            },
            Value::String(text) => param_value::Value::Text(text.clone()),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some(Self { value: Some(value) })
    }

    /// The JSON scalar; null when the message is empty.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.value {
            Some(param_value::Value::Boolean(boolean)) => Value::Bool(*boolean),
            Some(param_value::Value::Integer(integer)) => Value::from(*integer),
            Some(param_value::Value::Number(number)) => Value::from(*number),
            Some(param_value::Value::Text(text)) => Value::String(text.clone()),
            None => Value::Null,
        }
    }
}

/// Parameters as messages.
#[must_use]
pub fn params_to_proto(params: &ParamMap) -> HashMap<String, ParamValue> {
    params.iter().filter_map(|(name, value)| Some((name.clone(), ParamValue::from_json(value)?))).collect()
}

/// Parameters from messages.
#[must_use]
pub fn params_from_proto(params: &HashMap<String, ParamValue>) -> ParamMap {
    params.iter().map(|(name, value)| (name.clone(), value.to_json())).collect::<BTreeMap<_, _>>()
}

impl DiskRef {
    /// The reference of a configured disk at `index` of its instance. DRBD disks have no two-part identity; theirs is
    /// refused by the caller before this point, so they carry an empty one.
    #[must_use]
    pub fn from_disk(disk: &Disk, index: u32) -> Self {
        let (first, second) = match &disk.logical_id {
            LogicalId::Plain { vg, lv } => (vg.clone(), lv.clone()),
            LogicalId::File { driver, path } => (driver.clone(), path.clone()),
            LogicalId::Rbd { pool, name } => (pool.clone(), name.clone()),
            LogicalId::Ext { provider, name } => (provider.clone(), name.clone()),
            LogicalId::Drbd { .. } => (String::new(), String::new()),
        };
        let format = disk.params.get("format").and_then(Value::as_str).unwrap_or("raw");
        Self {
            uuid: disk.uuid.to_string(),
            dev_type: disk.dev_type.clone(),
            logical_first: first,
            logical_second: second,
            size_mib: disk.size.0,
            format: format.to_owned(),
            params: params_to_proto(&disk.params),
            name: disk.name.clone().unwrap_or_default(),
            mode: disk.mode.as_str().to_owned(),
            index,
        }
    }
}

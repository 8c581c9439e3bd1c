//! From a request to an opcode: path variables, query arguments and body become its parameters.

use std::time::{SystemTime, UNIX_EPOCH};

use gannet_core::opcode::{Error, OpCode};
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::error::ApiError;

/// Parameters by name.
pub(crate) type Params = Map<String, Value>;

/// How a resource's opcode is made. `new`, then what differs from the simplest case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Submit {
    op_id: &'static str,
    args: &'static [Arg],
    has_body: bool,
    renames: &'static [(&'static str, &'static str)],
    adjust: Option<Adjust>,
}

/// Code for what data cannot say.
pub(crate) type Adjust = fn(&Call, &mut Parts) -> Result<(), ApiError>;

/// A query argument that becomes a parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arg {
    name: &'static str,
    param: &'static str,
    kind: ArgKind,
}

#[derive(Debug, Clone, Copy)]
enum ArgKind {
    /// 0 or another number; 0 when absent.
    Flag,
    /// A text; the default when absent, null without one.
    Text(Option<&'static str>),
}

/// The parameters on their way to the opcode.
#[derive(Debug)]
pub(crate) struct Parts {
    /// What the client chose freely.
    pub(crate) body: Params,
    /// What the URI says: the body must not say it again.
    pub(crate) fixed: Params,
}

pub(crate) const DRY_RUN: Arg = Arg::flag_as("dry-run", "dry_run");
pub(crate) const FORCE: Arg = Arg::flag("force");

impl Arg {
    pub(crate) const fn flag(name: &'static str) -> Self {
        Self::flag_as(name, name)
    }

    pub(crate) const fn flag_as(name: &'static str, param: &'static str) -> Self {
        Self { name, param, kind: ArgKind::Flag }
    }

    pub(crate) const fn text(name: &'static str) -> Self {
        Self { name, param: name, kind: ArgKind::Text(None) }
    }

    pub(crate) const fn text_as(name: &'static str, param: &'static str, default: &'static str) -> Self {
        Self { name, param, kind: ArgKind::Text(Some(default)) }
    }

    fn value(&self, call: &Call) -> Result<Value, ApiError> {
        Ok(match self.kind {
            ArgKind::Flag => call.flag(self.name, false)?.into(),
            ArgKind::Text(default) => call.arg(self.name).or(default).into(),
        })
    }
}

impl Submit {
    /// Path variables become parameters of the same name; of a body only `depends` is used.
    pub(crate) const fn new(op_id: &'static str) -> Self {
        Self { op_id, args: &[], has_body: false, renames: &[], adjust: None }
    }

    /// Query arguments that become parameters.
    pub(crate) const fn args(self, args: &'static [Arg]) -> Self {
        Self { args, ..self }
    }

    /// The keys of the body are parameters.
    pub(crate) const fn body(self) -> Self {
        Self { has_body: true, ..self }
    }

    /// Keys of the body (left) and the parameters that they mean.
    pub(crate) const fn renames(self, renames: &'static [(&'static str, &'static str)]) -> Self {
        Self { renames, ..self }
    }

    /// Runs this before the renames.
    pub(crate) const fn adjust(self, adjust: Adjust) -> Self {
        Self { adjust: Some(adjust), ..self }
    }

    pub(crate) fn op_id(&self) -> &'static str {
        self.op_id
    }

    /// The opcode that `call` asks for, complete and checked.
    pub(crate) fn opcode(&self, call: &Call) -> Result<OpCode, ApiError> {
        let mut parts = Parts { body: self.body_of(call)?, fixed: Params::new() };
        for (name, value) in &call.vars {
            parts.fixed.insert((*name).to_owned(), value.as_str().into());
        }
        for arg in self.args {
            parts.fixed.insert(arg.param.to_owned(), arg.value(call)?);
        }
        if let Some(adjust) = self.adjust {
            adjust(call, &mut parts)?;
        }
        parts.fixed.insert("reason".to_owned(), reason(call));
        let object = fill(self.op_id, parts, self.renames)?;
        checked(object)
    }

    fn body_of(&self, call: &Call) -> Result<Params, ApiError> {
        if self.has_body {
            return call.object();
        }
        let depends = call.body.as_ref().and_then(|body| body.get("depends"));
        Ok(depends.map(|depends| ("depends".to_owned(), depends.clone())).into_iter().collect())
    }
}

/// Body and fixed parameters as one opcode object, not yet checked.
pub(crate) fn fill(op_id: &str, parts: Parts, renames: &[(&str, &str)]) -> Result<Params, ApiError> {
    let Parts { mut body, fixed } = parts;
    for (old, new) in renames {
        if let Some(value) = body.remove(*old)
            && body.insert((*new).to_owned(), value).is_some()
        {
            return Err(ApiError::bad_request(format!("Parameter '{old}' was renamed to '{new}', but both are specified")));
        }
    }
    let mut twice: Vec<&str> = body.keys().filter(|key| fixed.contains_key(*key) || *key == "OP_ID").map(String::as_str).collect();
    twice.sort_unstable();
    if !twice.is_empty() {
        return Err(ApiError::bad_request(format!("Can't overwrite static parameters {}", twice.join(", "))));
    }
    body.extend(fixed);
    body.insert("OP_ID".to_owned(), op_id.into());
    Ok(body)
}

/// Reads the opcode strictly: every key a parameter, every value of its type.
pub(crate) fn checked(object: Params) -> Result<OpCode, ApiError> {
    let opcode = OpCode::from_json(Value::Object(object)).map_err(|error| refused(&error))?;
    opcode.check_submit().map_err(|error| refused(&error))?;
    Ok(opcode)
}

fn refused(error: &Error) -> ApiError {
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    ApiError::bad_request(format!("Invalid body parameters: {error}{detail}"))
}

/// Who wanted it and why: the client's words, then the resource that was used.
pub(crate) fn reason(call: &Call) -> Value {
    let now = now_ns();
    let library = json!([format!("gnt:library:rlib2:{}", call.class), "", now]);
    match call.arg("reason").filter(|reason| !reason.is_empty()) {
        Some(reason) => json!([["gnt:user", reason, now], library]),
        None => json!([library]),
    }
}

/// Nanoseconds since 1970; they fit until the year 2262.
fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REBOOT: Submit = Submit::new("OP_INSTANCE_REBOOT").args(&[DRY_RUN, Arg::text_as("type", "reboot_type", "hard")]).body();

    fn call(args: &str, body: Value) -> Call {
        Call { vars: vec![("instance_name", "web1".to_owned())], args: crate::call::arguments(Some(args)), body: Some(body), class: "test" }
    }

    #[test]
    fn everything_reaches_the_opcode() {
        let opcode = REBOOT.opcode(&call("type=soft&dry-run=1&reason=why", json!({"shutdown_timeout": 3, "depends": [[-1, []]]}))).unwrap();
        let object = serde_json::to_value(&opcode).unwrap();
        assert_eq!(object["instance_name"], "web1");
        assert_eq!((&object["reboot_type"], &object["dry_run"], &object["shutdown_timeout"]), (&json!("soft"), &json!(true), &json!(3)));
        assert_eq!(object["depends"], json!([[-1, []]]));
        assert_eq!(object["reason"][0][1], "why");
        assert_eq!(object["reason"][1][0], "gnt:library:rlib2:test");
    }

    #[track_caller]
    fn refuses(args: &str, body: Value, part: &str) {
        let error = REBOOT.opcode(&call(args, body)).unwrap_err();
        assert_eq!(error.status.as_u16(), 400);
        assert!(error.message.contains(part), "{}", error.message);
    }

    #[test]
    fn what_is_not_a_parameter_is_refused() {
        refuses("", json!({"nonsense": 1}), "nonsense");
        refuses("", json!({"instance_name": "web2"}), "Can't overwrite static parameters instance_name");
        refuses("", json!({"OP_ID": "OP_CLUSTER_DESTROY"}), "Can't overwrite");
        refuses("", json!({"reason": []}), "Can't overwrite");
        refuses("", json!([1]), "object");
        refuses("", json!({"shutdown_timeout": "soon"}), "shutdown_timeout");
        refuses("", json!({"priority": -20}), "priority");
        refuses("type=odd", json!({}), "reboot_type");
        refuses("dry-run=yes", json!({}), "dry-run");
    }

    #[test]
    fn a_renamed_key_excludes_its_new_name() {
        let parts = |body: Value| Parts { body: body.as_object().cloned().unwrap(), fixed: Params::new() };
        let renames = [("os", "os_type")];
        assert_eq!(
            fill("OP", parts(json!({"os": "x"})), &renames).unwrap(),
            json!({"OP_ID": "OP", "os_type": "x"}).as_object().cloned().unwrap()
        );
        assert!(fill("OP", parts(json!({"os": "x", "os_type": "y"})), &renames).is_err());
    }
}

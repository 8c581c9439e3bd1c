//! Where a request about an instance and its opcode differ by more than names.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::Api;
use crate::call::Call;
use crate::error::ApiError;
use crate::route::Pending;
use crate::submit::{Params, Parts, checked, fill};

/// Keys of a creation that are older than the opcode's.
pub(crate) const OLD_NAMES: &[(&str, &str)] = &[("os", "os_type"), ("name", "instance_name")];

/// The version of the body is 1; there is no other left.
pub(crate) fn create(_: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    match parts.body.remove("__version__") {
        Some(version) if version == 1 => {}
        None => return Err(ApiError::bad_request("Instance creation request version 0 is no longer supported")),
        Some(version) if version == 0 => return Err(ApiError::bad_request("Instance creation request version 0 is no longer supported")),
        Some(version) => return Err(ApiError::bad_request(format!("Unsupported request data version {version}"))),
    }
    usb_devices(&mut parts.body, "hvparams");
    Ok(())
}

pub(crate) fn modify(_: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    usb_devices(&mut parts.body, "hvparams");
    usb_devices(&mut parts.body, "custom_hvparams");
    Ok(())
}

/// They may be separated by spaces here, by commas in the opcode.
fn usb_devices(body: &mut Params, key: &str) {
    if let Some(Value::String(devices)) = body.get_mut(key).and_then(|hvparams| hvparams.get_mut("usb_devices")) {
        *devices = devices.replace(' ', ",");
    }
}

/// Each instance of the list is an opcode of its own.
pub(crate) fn multi_alloc(_: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    let Some(Value::Array(instances)) = parts.body.get_mut("instances") else {
        return Err(ApiError::bad_request("Request is missing required 'instances' field in body"));
    };
    for instance in instances {
        let Value::Object(body) = instance.take() else {
            return Err(ApiError::bad_request("each of the 'instances' has to be an object"));
        };
        let filled = fill("OP_INSTANCE_CREATE", Parts { body, fixed: Params::new() }, OLD_NAMES)?;
        *instance = Value::Object(filled);
    }
    Ok(())
}

/// A removal never ignores failures here.
pub(crate) fn remove(_: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    parts.fixed.insert("ignore_failures".to_owned(), false.into());
    Ok(())
}

pub(crate) fn info(_: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    let name = parts.fixed.remove("instance_name");
    parts.fixed.insert("instances".to_owned(), name.into_iter().collect());
    Ok(())
}

pub(crate) fn grow_disk(call: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    parts.fixed.remove("disk_index");
    let disk: u64 = call.var("disk_index").parse().map_err(|_| ApiError::not_found())?;
    parts.fixed.insert("disk".to_owned(), disk.into());
    Ok(())
}

/// The old form of this request has query arguments and no body; disks may be a text like `0,1`.
pub(crate) fn replace_disks(call: &Call, parts: &mut Parts) -> Result<(), ApiError> {
    if parts.body.is_empty() && !call.args.is_empty() {
        for name in ["remote_node", "mode", "disks", "iallocator"] {
            parts.body.insert(name.to_owned(), call.arg(name).into());
        }
    }
    let disks: Value = match parts.body.remove("disks") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::String(text)) if text.is_empty() => return Ok(()),
        Some(Value::String(text)) => {
            let numbers: Result<Vec<u64>, _> = text.split(',').map(|number| number.trim().parse()).collect();
            numbers.map_err(|error| ApiError::bad_request(format!("Invalid disk index passed: {error}")))?.into()
        }
        Some(other) => other,
    };
    parts.body.insert("disks".to_owned(), disks);
    Ok(())
}

/// Shuts down, reinstalls and starts, in one job.
pub(crate) fn reinstall(api: Arc<Api>, call: Call) -> Pending {
    Box::pin(async move {
        let opcodes = reinstall_steps(&call)?.into_iter().map(checked).collect::<Result<Vec<_>, _>>()?;
        api.submit_job(&opcodes).await
    })
}

fn reinstall_steps(call: &Call) -> Result<Vec<Params>, ApiError> {
    let mut body = call.object()?;
    if !body.is_empty() {
        if !call.args.is_empty() {
            return Err(ApiError::bad_request("Can't combine query and body parameters"));
        }
    } else {
        body.insert("os".to_owned(), call.arg("os").filter(|os| !os.is_empty()).into());
        body.insert("start".to_owned(), (!call.flag("nostartup", false)?).into());
    }
    let (os, osparams) = (body.remove("os").unwrap_or_default(), body.remove("osparams").unwrap_or_default());
    let start = match body.remove("start") {
        None => true,
        Some(Value::Bool(start)) => start,
        Some(_) => return Err(ApiError::bad_request("The 'start' parameter should be a boolean")),
    };
    if let Some(unknown) = body.keys().next() {
        return Err(ApiError::bad_request(format!("Unknown body parameter '{unknown}'")));
    }
    let name = call.var("instance_name");
    let mut steps = vec![
        json!({"OP_ID": "OP_INSTANCE_SHUTDOWN", "instance_name": name}),
        json!({"OP_ID": "OP_INSTANCE_REINSTALL", "instance_name": name, "os_type": os, "osparams": osparams}),
    ];
    if start {
        steps.push(json!({"OP_ID": "OP_INSTANCE_STARTUP", "instance_name": name, "force": false}));
    }
    Ok(steps.into_iter().filter_map(|step| step.as_object().cloned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(args: &str, body: Option<Value>) -> Call {
        Call { vars: vec![("instance_name", "web1".to_owned())], args: crate::call::arguments(Some(args)), body, class: "test" }
    }

    fn parts(body: Value) -> Parts {
        Parts { body: body.as_object().cloned().unwrap(), fixed: Params::new() }
    }

    #[test]
    fn only_version_1_creates() {
        let mut good = parts(json!({"__version__": 1, "hvparams": {"usb_devices": "a b"}}));
        create(&call("", None), &mut good).unwrap();
        assert_eq!(Value::Object(good.body), json!({"hvparams": {"usb_devices": "a,b"}}));
        for version in [json!({}), json!({"__version__": 0}), json!({"__version__": 2}), json!({"__version__": "1"})] {
            assert_eq!(create(&call("", None), &mut parts(version)).unwrap_err().status.as_u16(), 400);
        }
    }

    #[test]
    fn disks_as_a_text() {
        let mut old = parts(json!({}));
        replace_disks(&call("mode=replace_on_primary&disks=0,+2", None), &mut old).unwrap();
        assert_eq!(
            Value::Object(old.body),
            json!({"mode": "replace_on_primary", "disks": [0, 2], "remote_node": null, "iallocator": null})
        );
        let mut new = parts(json!({"disks": [1]}));
        replace_disks(&call("reason=x", None), &mut new).unwrap();
        assert_eq!(Value::Object(new.body), json!({"disks": [1]}));
        assert!(replace_disks(&call("", None), &mut parts(json!({"disks": "x"}))).is_err());
    }

    #[test]
    fn a_reinstallation_has_two_or_three_steps() {
        let steps = |args: &str, body: Option<Value>| {
            reinstall_steps(&call(args, body))
                .map(|steps| steps.iter().map(|step| step["OP_ID"].as_str().unwrap()[12..].to_owned()).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(steps("", None), Ok("SHUTDOWN REINSTALL STARTUP".to_owned()));
        assert_eq!(steps("os=debian&nostartup=1", None), Ok("SHUTDOWN REINSTALL".to_owned()));
        assert_eq!(steps("", Some(json!({"os": "debian", "start": false}))), Ok("SHUTDOWN REINSTALL".to_owned()));
        assert!(steps("os=debian", Some(json!({"os": "debian"}))).is_err());
        assert!(steps("", Some(json!({"other": 1}))).is_err());
        for step in reinstall_steps(&call("", Some(json!({"os": "debian", "osparams": {"a": "b"}})))).unwrap() {
            checked(step).unwrap();
        }
    }
}

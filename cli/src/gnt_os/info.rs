//! `gnt-os info`

use gannet_core::query::format::python_str;
use serde_json::Value;

use crate::context::{Context, Outcome};
use crate::exit::SUCCESS;

const FIELDS: [&str; 9] = ["name", "valid", "variants", "parameters", "api_versions", "blacklisted", "hidden", "os_hvp", "osparams"];

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let found = super::query(context, &FIELDS)?;
    let wanted = context.args.positional().to_vec();
    for row in found.iter().filter(|row| wanted.is_empty() || wanted.iter().any(|name| row[0] == name.as_str())) {
        show(context, row);
    }
    for name in wanted.iter().filter(|name| !found.iter().any(|row| row[0] == name.as_str())) {
        context.io.line(format_args!("{name}: \n"));
    }
    Ok(SUCCESS)
}

fn show(context: &mut Context<'_>, row: &[Value]) {
    let io = &mut *context.io;
    io.line(format_args!("{}:", python_str(&row[0])));
    for (label, at) in [("valid", 1), ("hidden", 6), ("blacklisted", 5)] {
        io.line(format_args!("  - {label}: {}", python_str(&row[at])));
    }
    if row[1] == true {
        for (label, at) in [("API versions", 4), ("variants", 2)] {
            io.line(format_args!("  - {label}:"));
            for item in row[at].as_array().into_iter().flatten() {
                io.line(format_args!("    - {}", python_str(item)));
            }
        }
        io.line("  - parameters:");
        for parameter in row[3].as_array().into_iter().flatten() {
            let part = |at: usize| parameter.get(at).map(python_str).unwrap_or_default();
            io.line(format_args!("    - {}: {}", part(0), part(1)));
        }
        for (label, at) in [("OS parameters", 8), ("OS-specific hypervisor parameters", 7)] {
            io.line(format_args!("  - {label}:"));
            for (name, value) in row[at].as_object().into_iter().flatten() {
                io.line(format_args!("    - {name}: {}", python_str(value)));
            }
        }
    }
    io.line("");
}

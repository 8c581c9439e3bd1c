//! `gnt-cluster queue drain|undrain|info`

use gannet_core::luxi::Method;
use serde_json::json;

use crate::context::{Context, Outcome};
use crate::exit::SUCCESS;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    match context.args.arg(0) {
        "drain" => {
            context.call(Method::SetDrainFlag, &json!([true]))?;
        }
        "undrain" => {
            context.call(Method::SetDrainFlag, &json!([false]))?;
        }
        // `info`: nothing else passes the check of the arguments.
        _ => {
            let values = context.call(Method::QueryConfigValues, &json!([["drain_flag"]]))?;
            context.io.line(format_args!("The drain flag is {}", if values[0] == true { "set" } else { "unset" }));
        }
    }
    Ok(SUCCESS)
}

//! `gnt-cluster watcher pause TIME|continue|info`

use gannet_core::luxi::Method;
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS};
use crate::parse::parse_duration;
use crate::time;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let time = context.args.positional().get(1).cloned();
    match (context.args.arg(0), time) {
        ("pause", Some(time)) => {
            let seconds = parse_duration(&time).map_err(Failure::invalid)?;
            let until = jiff::Timestamp::now().as_second() as f64 + seconds as f64;
            let until = context.call(Method::SetWatcherPause, &json!([until]))?;
            tell(context, &until);
        }
        ("pause", None) => return Err(Failure::invalid("Missing pause duration")),
        (_, Some(_)) => return Err(Failure::invalid("Only a pause takes a time")),
        ("continue", None) => {
            context.call(Method::SetWatcherPause, &json!([null]))?;
            context.io.line("The watcher is no longer paused.");
        }
        (_, None) => {
            let values = context.call(Method::QueryConfigValues, &json!([["watcher_pause"]]))?;
            tell(context, &values[0]);
        }
    }
    Ok(SUCCESS)
}

fn tell(context: &mut Context<'_>, until: &Value) {
    match until.as_f64() {
        Some(until) => context.io.line(format_args!("The watcher is paused until {}.", time::date_time(until))),
        None => context.io.line("The watcher is not paused."),
    }
}

//! `gnt-instance console`: enters the console of an instance.
//!
//! The master answers how to reach it. Serial consoles are relayed by the master daemon through a socket of their own, so no SSH is
//! needed; graphical ones are only told about.

mod relay;

use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS};
use crate::wait;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    // The session is a socket on the master.
    context.must_be_master()?;
    let op = context.opcode("OP_INSTANCE_CONSOLE", json!({"instance_name": context.name()}))?;
    let job = wait::submit(context, vec![op])?;
    let console = wait::follow(context, job)?.pop().unwrap_or_default();
    let text = |key: &str| console.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let instance = match text("instance") {
        name if name.is_empty() => context.name(),
        name => name,
    };
    match text("kind").as_str() {
        "unix" => enter(context, &instance, &socket(&console)?),
        "ssh" => ssh(context, &text("user"), &text("host"), &words(&console)),
        "msg" => {
            context.io.line(text("message"));
            Ok(SUCCESS)
        }
        kind @ ("vnc" | "spice") => {
            let (host, port) = (text("host"), console.get("port").map(Value::to_string).unwrap_or_default());
            let display = console.get("display").map(|display| format!(" (display {display})")).unwrap_or_default();
            context.io.line(format_args!(
                "Instance {instance} has {} listening on {host}:{port}{display}, URL <{kind}://{host}:{port}/>",
                kind.to_uppercase()
            ));
            Ok(SUCCESS)
        }
        other => Err(Failure::Refused(format!("The master answered with a console of the unknown kind '{other}'"))),
    }
}

/// The socket's path, which the master puts where other kinds have a command or a host.
fn socket(console: &Value) -> Result<String, Failure> {
    let path = |key: &str| match console.get(key) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Array(words)) => words.first().and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    let found = path("command").or_else(|| path("host")).filter(|path| path.starts_with('/'));
    found.ok_or_else(|| Failure::Refused("The master's answer has no console socket".into()))
}

fn words(console: &Value) -> Vec<String> {
    match console.get("command") {
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

fn enter(context: &mut Context<'_>, instance: &str, socket: &str) -> Outcome {
    if context.args.flag("show-cmd") {
        context.io.line(format_args!("socat -,raw,echo=0,escape=0x1d UNIX-CONNECT:{socket}"));
        return Ok(SUCCESS);
    }
    context.io.note(format_args!("Console of {instance}; Ctrl-] leaves it."));
    relay::run(socket.as_ref()).map_err(|error| Failure::io(format!("console of {instance} on {socket}"), error))?;
    context.io.note("\r\nConsole left.");
    Ok(SUCCESS)
}

fn ssh(context: &mut Context<'_>, user: &str, host: &str, command: &[String]) -> Outcome {
    let quoted = command.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
    let words = ["-t", "-oEscapeChar=none", "-oHashKnownHosts=no", &format!("{user}@{host}"), &quoted].map(str::to_owned);
    if context.args.flag("show-cmd") {
        let line: Vec<String> = words.iter().map(|word| quote(word)).collect();
        context.io.line(format_args!("ssh {}", line.join(" ")));
        return Ok(SUCCESS);
    }
    context.io.flush();
    // Replaces this process; what comes back is only the failure to do so.
    let error = Command::new("ssh").args(&words).exec();
    context.io.note(format_args!("cannot run ssh: {error}"));
    Ok(FAILURE)
}

/// A word as a shell reads it back.
fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=+.,/:@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

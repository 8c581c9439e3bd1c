//! All that a sub-command gets: its command line, its streams, the environment, and a connection to the master.

use gannet_core::luxi::{self, Client, Method};
use gannet_core::opcode::OpCode;
use serde_json::{Value, json};

use crate::args::Args;
use crate::environment::Environment;
use crate::exit::Failure;
use crate::io::Io;
use crate::spec::{Program, SubCommand};

/// What a sub-command works with.
#[derive(Debug)]
pub struct Context<'a> {
    /// The program, e.g. `gnt-instance`.
    pub program: &'static Program,
    /// The sub-command.
    pub command: &'static SubCommand,
    /// Its options and arguments.
    pub args: Args,
    /// Its streams.
    pub io: &'a mut Io,
    /// The environment of the process.
    pub env: &'a Environment,
    client: Option<Client>,
    /// Why answers may be old, as far as the operator was told.
    told_old: bool,
}

/// How a sub-command ends well: with its exit code.
pub type Outcome = Result<u8, Failure>;

/// The implementation of a sub-command.
pub type Run = fn(&mut Context<'_>) -> Outcome;

impl<'a> Context<'a> {
    /// Everything for one run.
    pub fn new(program: &'static Program, command: &'static SubCommand, args: Args, io: &'a mut Io, env: &'a Environment) -> Self {
        Self { program, command, args, io, env, client: None, told_old: false }
    }

    /// `gnt-instance startup`
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{} {}", self.program.name, self.command.name)
    }

    /// Calls the master daemon.
    ///
    /// # Errors
    /// It cannot be reached, or it refused.
    pub fn call(&mut self, method: Method, args: &Value) -> Result<Value, Failure> {
        match self.client()?.call(method, args) {
            Err(luxi::Error::Closed { .. }) if method.is_read() => crate::wait::reconnecting(self, |client| client.call(method, args)),
            answer => {
                self.note_origin();
                Ok(answer?)
            }
        }
    }

    /// Tells, once, that answers may be old.
    pub fn note_origin(&mut self) {
        let old = self.client.as_ref().and_then(Client::origin).and_then(|origin| origin.old.clone());
        if let Some(old) = old.filter(|_| !self.told_old) {
            self.io.note(format_args!("Warning: this may be old: {old}"));
            self.told_old = true;
        }
    }

    /// Refuses to go on where another node is the master, for what works with files or sockets of the master's.
    ///
    /// # Errors
    /// [`Failure::NotMaster`]; or as [`Self::call`].
    pub fn must_be_master(&mut self) -> Result<(), Failure> {
        match self.call(Method::QueryConfigValues, &json!([["master_node"]])) {
            Ok(_) | Err(Failure::Remote(_)) => {}
            Err(other) => return Err(other),
        }
        match self.client.as_ref().and_then(Client::origin) {
            Some(origin) if !origin.is_master() => {
                Err(Failure::NotMaster(origin.master.clone().unwrap_or_else(|| "(not known at the moment)".to_owned())))
            }
            _ => Ok(()),
        }
    }

    /// The connection to the master daemon.
    ///
    /// # Errors
    /// There is none, because this node is not the master or the daemon does not run.
    pub fn client(&mut self) -> Result<&mut Client, Failure> {
        let client = match self.client.take() {
            Some(client) => client,
            None => connect(self.env)?,
        };
        Ok(self.client.insert(client))
    }

    /// Forgets a broken connection; the next call makes a new one.
    pub fn disconnect(&mut self) {
        self.client = None;
    }

    /// An opcode with the parameters every opcode has, taken from the options.
    ///
    /// # Errors
    /// As [`bare_opcode`].
    pub fn opcode(&self, op_id: &str, parameters: Value) -> Result<OpCode, Failure> {
        let mut opcode = bare_opcode(op_id, parameters)?;
        let common = serde_json::to_value(&opcode.common).map_err(|error| Failure::invalid(error.to_string()))?;
        opcode.common = self.common(common).map_err(|error| Failure::invalid(error.to_string()))?;
        Ok(opcode)
    }

    fn common(&self, mut common: Value) -> serde_json::Result<gannet_core::opcode::Common> {
        if self.args.flag("dry-run") {
            common["dry_run"] = json!(true);
        }
        let debug = self.args.count("debug");
        if debug > 0 {
            common["debug_level"] = json!(debug);
        }
        match self.args.text("priority") {
            Some("high") => common["priority"] = json!(-10),
            Some("low") => common["priority"] = json!(10),
            _ => {}
        }
        let mut trail = common["reason"].as_array().cloned().unwrap_or_default();
        trail.extend(self.reason().as_array().into_iter().flatten().cloned());
        common["reason"] = json!(trail);
        serde_json::from_value(common)
    }

    /// Who wants this: the operator's words, and the program.
    #[must_use]
    pub fn reason(&self) -> Value {
        let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or_default();
        let user = self.args.texts("reason").into_iter().map(|text| json!(["gnt:user", text, now]));
        user.chain([json!(["gnt:client", self.full_name(), now])]).collect()
    }

    /// The first positional argument.
    #[must_use]
    pub fn name(&self) -> String {
        self.args.arg(0).to_owned()
    }
}

/// An opcode with nothing but its own parameters. They pass the same strict reader that the master has.
///
/// # Errors
/// The parameters are not those of the opcode: a value on the command line has the wrong type.
pub fn bare_opcode(op_id: &str, parameters: Value) -> Result<OpCode, Failure> {
    let mut object = match parameters {
        Value::Object(object) => object,
        _ => serde_json::Map::new(),
    };
    object.insert("OP_ID".into(), op_id.into());
    OpCode::from_json(Value::Object(object)).map_err(|error| Failure::invalid(error.to_string()))
}

/// Connects to the master daemon; when that fails, finds out whether this node is the master at all.
///
/// # Errors
/// As [`Context::client`].
pub fn connect(env: &Environment) -> Result<Client, Failure> {
    Client::connect(&env.socket()).map_err(|error| match error {
        luxi::Error::NoMaster { .. } => not_here(env).unwrap_or(Failure::Luxi(error)),
        other => other.into(),
    })
}

fn not_here(env: &Environment) -> Option<Failure> {
    match std::fs::read_to_string(env.paths().ssconf("master_node")) {
        Ok(master) if master.trim() == env.node_name() => None,
        Ok(master) => Some(Failure::NotMaster(master.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(Failure::NotCluster),
        Err(_) => None,
    }
}

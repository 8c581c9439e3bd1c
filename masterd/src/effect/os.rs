//! OS scripts.

use gannet_proto::node::{InstanceRef, InstanceShutdownRequest, OsRenameRequest, OsScriptRequest, OsTransferRequest, ScriptOutput};

use super::{Done, effect};
use crate::job::JobLog;

/// Most lines of a script's output that go into the job's log: the rest is in the log file on the node.
const MAX_LINES: usize = 200;

/// Passes a script's output on to the job's log, line by line.
struct Lines<'a> {
    log: &'a JobLog,
    rest: Vec<u8>,
    told: usize,
}

impl<'a> Lines<'a> {
    fn new(log: &'a JobLog) -> Self {
        Self { log, rest: Vec::new(), told: 0 }
    }

    fn take(&mut self, output: &ScriptOutput) {
        self.rest.extend_from_slice(&output.data);
        while let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            if self.told < MAX_LINES {
                self.log.info(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
            }
            self.told += 1;
        }
    }
}

macro_rules! script {
    ($(#[$doc:meta])* $name:ident, $request:ty, $call:ident, $text:literal, $what:literal) => {
        effect! {
            $(#[$doc])*
            $name($request) -> (), $text,
            repeats(false)
            describe(effect) {
                let instance = effect.0.instance.as_ref();
                format!(
                    "{} {} of instance {}",
                    $what,
                    instance.map(|instance| instance.os.as_str()).unwrap_or_default(),
                    instance.map(|instance| instance.name.as_str()).unwrap_or_default()
                )
            }
            run(effect, node, log) {
                let mut lines = Lines::new(log);
                let last = node.$call(effect.0.clone(), |output| lines.take(output)).await?;
                if last.error.is_empty() && last.status == 0 {
                    return Ok(Done::Changed(()));
                }
                let reason = if last.error.is_empty() { format!("the script exited with {}", last.status) } else { last.error };
                // After the quoted lines, which may be many.
                let log_file = if last.log_file.is_empty() { String::new() } else { format!("\nThe log file: {}", last.log_file) };
                Err(node.refused($text, &format!("{}{log_file}", reason.trim_end())))
            }
            undo(effect, node, _reply) {
                let Some(instance) = &effect.0.instance else { return Ok(()) };
                let instance = InstanceRef { name: instance.name.clone(), uuid: instance.uuid.clone(), hypervisor: instance.hypervisor.clone() };
                // What it wrote goes with the disks. But it may still run, when it was the master daemon that died: the node
                // ends a script that nobody listens to, and gives the instance to the next call only after that.
                node.instance_shutdown(InstanceShutdownRequest { instance: Some(instance), timeout_s: 0 }).await.map(|_| ())
            }
        }
    };
}

script! {
    /// Installs the OS.
    OsCreate, OsScriptRequest, os_create, "os-create", "run the create script of OS"
}
script! {
    /// Runs the rename script.
    OsRename, OsRenameRequest, os_rename, "os-rename", "run the rename script of OS"
}
script! {
    /// Exports a disk.
    OsExport, OsTransferRequest, os_export, "os-export", "run the export script of OS"
}
script! {
    /// Imports a disk.
    OsImport, OsTransferRequest, os_import, "os-import", "run the import script of OS"
}

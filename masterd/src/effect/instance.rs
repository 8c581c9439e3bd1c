//! Instances on their node.

use gannet_proto::node::{
    InstanceBalloonRequest, InstanceHotplugRequest, InstanceRebootRequest, InstanceRef, InstanceRenameRequest, InstanceShutdownReply,
    InstanceShutdownRequest, InstanceStartReply, InstanceStartRequest,
};

use super::{Done, effect};

effect! {
    /// Starts an instance. Undo: stops it hard, unless it ran before.
    InstanceStart(InstanceStartRequest) -> InstanceStartReply, "instance-start",
    describe(effect) { format!("start instance {}", effect.0.instance.as_ref().map(|instance| instance.name.as_str()).unwrap_or_default()) }
    run(effect, node, log) {
        let reply = node.instance_start(effect.0.clone()).await?;
        for warning in &reply.warnings {
            log.warn(warning);
        }
        Ok(if reply.was_running { Done::AlreadyThere(reply) } else { Done::Changed(reply) })
    }
    undo(effect, node, _reply) {
        let Some(instance) = &effect.0.instance else { return Ok(()) };
        let instance = InstanceRef { name: instance.name.clone(), uuid: instance.uuid.clone(), hypervisor: instance.hypervisor.clone() };
        node.instance_shutdown(InstanceShutdownRequest { instance: Some(instance), timeout_s: 0 }).await.map(|_| ())
    }
}

effect! {
    /// Stops an instance. Not taken back.
    InstanceShutdown(InstanceShutdownRequest) -> InstanceShutdownReply, "instance-shutdown",
    describe(effect) { format!("shut down instance {}", effect.0.instance.as_ref().map(|instance| instance.name.as_str()).unwrap_or_default()) }
    run(effect, node, log) {
        let reply = node.instance_shutdown(effect.0.clone()).await?;
        if reply.was_forced && effect.0.timeout_s > 0 {
            log.warn(format!("the guest did not stop within {} s and was stopped hard", effect.0.timeout_s));
        }
        Ok(Done::Changed(reply))
    }
    undo(_effect, _node, _reply) { Ok(()) }
}

effect! {
    /// Restarts an instance.
    InstanceReboot(InstanceRebootRequest) -> (), "instance-reboot",
    repeats(false)
    describe(effect) { format!("reboot instance {}", effect.0.instance.as_ref().map(|instance| instance.name.as_str()).unwrap_or_default()) }
    run(effect, node, _log) {
        node.instance_reboot(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(_effect, _node, _reply) { Ok(()) }
}

effect! {
    /// Sets the memory of a running instance. Not taken back: the next start uses the configured size.
    InstanceBalloon(InstanceBalloonRequest) -> (), "instance-balloon",
    describe(effect) { format!("set the memory of instance {}", effect.0.instance.as_ref().map(|instance| instance.name.as_str()).unwrap_or_default()) }
    run(effect, node, _log) {
        node.instance_balloon(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(_effect, _node, _reply) { Ok(()) }
}

effect! {
    /// Adds, changes or takes away a device of a running instance. Undo: takes it away, or gives it back; a change stays.
    InstanceHotplug(InstanceHotplugRequest) -> (), "instance-hotplug",
    describe(effect) {
        let name = effect.0.instance.as_ref().map(|instance| instance.name.as_str()).unwrap_or_default();
        format!("hot-plug a device of instance {name} ({})", effect.0.action)
    }
    run(effect, node, _log) {
        node.instance_hotplug(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(effect, node, _reply) {
        let back = match effect.0.action.as_str() {
            "hotadd" => "hotremove",
            "hotremove" => "hotadd",
            _ => return Ok(()),
        };
        node.instance_hotplug(InstanceHotplugRequest { action: back.to_owned(), ..effect.0.clone() }).await.map(|_| ())
    }
}

effect! {
    /// Renames what the hypervisor keeps under the old name. Undo: renames it back.
    InstanceRename(InstanceRenameRequest) -> (), "instance-rename",
    describe(effect) { format!("rename instance {}", effect.0.instance.as_ref().map(|instance| instance.name.as_str()).unwrap_or_default()) }
    run(effect, node, _log) {
        node.instance_rename(effect.0.clone()).await?;
        Ok(Done::Changed(()))
    }
    undo(effect, node, _reply) {
        let Some(old) = &effect.0.instance else { return Ok(()) };
        let now = InstanceRef { name: effect.0.new_name.clone(), ..old.clone() };
        node.instance_rename(InstanceRenameRequest { instance: Some(now), new_name: old.name.clone() }).await.map(|_| ())
    }
}

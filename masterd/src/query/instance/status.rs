//! What is seen of an instance on its nodes, and the word for it.

use gannet_core::config::{AdminState, AdminStateSource, Instance};
use gannet_proto::node::{InstanceInfo, InstanceState};
use serde_json::Value;

use super::Instances;
use crate::query::cell::Cell;
use crate::query::console;

/// What is seen of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// The primary node is marked offline.
    NodeOffline,
    /// The primary node, or its hypervisor, does not answer.
    NodeDown,
    /// It runs on the primary node.
    Running,
    /// Its guest shut itself down; the node still knows.
    StoppedFromInside,
    /// It runs on another node.
    Elsewhere,
    /// It does not run.
    Nowhere,
}

/// The word for what is wanted and what is seen (`parity/params.json`: instance.status_rules). `user_shutdown`: guests may
/// shut themselves down without being started again.
pub(crate) fn word(wanted: AdminState, source: AdminStateSource, sight: Sight, user_shutdown: bool) -> &'static str {
    match (sight, wanted) {
        (Sight::NodeOffline, _) => "ERROR_nodeoffline",
        (Sight::NodeDown, _) => "ERROR_nodedown",
        (Sight::Elsewhere, _) => "ERROR_wrongnode",
        (Sight::Running, AdminState::Up) => "running",
        (Sight::Running, AdminState::Down | AdminState::Offline) => "ERROR_up",
        (Sight::StoppedFromInside, AdminState::Up) if user_shutdown => "USER_down",
        (Sight::StoppedFromInside | Sight::Nowhere, AdminState::Up) => "ERROR_down",
        (Sight::StoppedFromInside | Sight::Nowhere, AdminState::Down) if source == AdminStateSource::User => "USER_down",
        (Sight::StoppedFromInside | Sight::Nowhere, AdminState::Down) => "ADMIN_down",
        (Sight::StoppedFromInside | Sight::Nowhere, AdminState::Offline) => "ADMIN_offline",
    }
}

/// What a state means; an incoming migration is not yet this instance.
fn is_running(state: InstanceState) -> bool {
    match state {
        InstanceState::Running | InstanceState::Paused | InstanceState::ShuttingDown => true,
        InstanceState::Stopped | InstanceState::Crashed | InstanceState::UserDown | InstanceState::Incoming => false,
    }
}

/// Whether a guest runs.
pub(crate) fn runs(info: &InstanceInfo) -> bool {
    is_running(info.state())
}

/// What is seen, and the running guest if there is one.
pub(super) type Seen<'a> = (Sight, Option<&'a InstanceInfo>);

impl<'a> Instances<'a> {
    /// What is seen; `None` before the nodes were asked.
    pub(super) fn sight(&self, instance: &'a Instance) -> Option<Seen<'a>> {
        // Rows live as long as the table, so the same address is the same instance.
        if let Some((of, seen)) = self.seen.get()
            && std::ptr::eq(of, instance)
        {
            return Some(seen);
        }
        let seen = self.look(instance)?;
        self.seen.set(Some((instance, seen)));
        Some(seen)
    }

    fn look(&self, instance: &Instance) -> Option<Seen<'a>> {
        let live = self.live?;
        if instance.forthcoming {
            return Some((Sight::Nowhere, None));
        }
        let Some(node) = self.pnode(instance) else { return Some((Sight::NodeDown, None)) };
        if node.offline {
            return Some((Sight::NodeOffline, None));
        }
        let Some(here) = live.of_node(&node.uuid).filter(|guests| !guests.is_silent(&instance.hypervisor)) else {
            return Some((Sight::NodeDown, None));
        };
        let info = here.find(instance);
        if let Some(info) = info.filter(|info| runs(info)) {
            return Some((Sight::Running, Some(info)));
        }
        if let Some(info) = live.elsewhere(instance) {
            return Some((Sight::Elsewhere, Some(info)));
        }
        match info.map(InstanceInfo::state) {
            Some(InstanceState::UserDown) => Some((Sight::StoppedFromInside, None)),
            _ => Some((Sight::Nowhere, None)),
        }
    }

    fn user_shutdown(&self, instance: &'a Instance) -> bool {
        self.config.cluster().enabled_user_shutdown
            && (instance.hypervisor != "kvm" || self.hv(instance).get("user_shutdown") == Some(&Value::Bool(true)))
    }

    pub(super) fn status(&self, instance: &'a Instance) -> Cell<'a> {
        let Some((sight, _)) = self.sight(instance) else { return Cell::Pending };
        word(instance.admin_state, instance.admin_state_source, sight, self.user_shutdown(instance)).into()
    }

    pub(super) fn oper_state(&self, instance: &'a Instance) -> Cell<'a> {
        match self.sight(instance) {
            None => Cell::Pending,
            Some((Sight::NodeOffline, _)) => Cell::OFFLINE,
            Some((Sight::NodeDown, _)) => Cell::NO_DATA,
            Some((Sight::Running | Sight::Elsewhere, _)) => Cell::Bool(true),
            Some((Sight::StoppedFromInside | Sight::Nowhere, _)) => Cell::Bool(false),
        }
    }

    /// Something of the running guest.
    pub(super) fn oper(&self, instance: &'a Instance, get: fn(&'a InstanceInfo) -> Cell<'a>) -> Cell<'a> {
        match self.sight(instance) {
            None => Cell::Pending,
            Some((Sight::NodeOffline, _)) => Cell::OFFLINE,
            Some((Sight::NodeDown, _)) => Cell::NO_DATA,
            Some((_, info)) => info.map_or(Cell::UNAVAIL, get),
        }
    }

    pub(super) fn console(&self, instance: &'a Instance) -> Cell<'a> {
        let Some(live) = self.live else { return Cell::Pending };
        match self.sight(instance) {
            Some((Sight::NodeOffline, _)) => Cell::OFFLINE,
            Some((Sight::NodeDown, _)) => Cell::NO_DATA,
            Some((Sight::Running, _)) => match (live.console(instance), self.pnode(instance)) {
                (Some(info), Some(node)) => Cell::Json(console::describe(instance, node, info)),
                _ => Cell::NO_DATA,
            },
            _ => Cell::UNAVAIL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_and_when() {
        use AdminState::{Down, Offline, Up};
        use AdminStateSource::{Admin, User};
        use Sight::{Elsewhere, NodeDown, NodeOffline, Nowhere, Running, StoppedFromInside};
        let table = [
            (Up, Admin, Running, false, "running"),
            (Up, Admin, Nowhere, false, "ERROR_down"),
            (Up, Admin, Nowhere, true, "ERROR_down"),
            (Up, Admin, StoppedFromInside, true, "USER_down"),
            (Up, Admin, StoppedFromInside, false, "ERROR_down"),
            (Up, Admin, Elsewhere, false, "ERROR_wrongnode"),
            (Down, Admin, Elsewhere, false, "ERROR_wrongnode"),
            (Up, Admin, NodeDown, false, "ERROR_nodedown"),
            (Down, Admin, NodeDown, false, "ERROR_nodedown"),
            (Up, Admin, NodeOffline, false, "ERROR_nodeoffline"),
            (Offline, Admin, NodeOffline, false, "ERROR_nodeoffline"),
            (Down, Admin, Running, false, "ERROR_up"),
            (Offline, Admin, Running, false, "ERROR_up"),
            (Down, Admin, Nowhere, false, "ADMIN_down"),
            (Down, Admin, StoppedFromInside, true, "ADMIN_down"),
            (Down, User, Nowhere, true, "USER_down"),
            (Down, User, StoppedFromInside, false, "USER_down"),
            (Offline, Admin, Nowhere, false, "ADMIN_offline"),
            (Offline, User, Nowhere, true, "ADMIN_offline"),
        ];
        for (wanted, source, sight, user_shutdown, expected) in table {
            assert_eq!(word(wanted, source, sight, user_shutdown), expected, "{wanted:?} {source:?} {sight:?} {user_shutdown}");
        }
    }

    #[test]
    fn the_words_are_those_of_the_contract() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../qa/parity/params.json")).unwrap();
        let contract: Value = serde_json::from_str(&text).unwrap();
        let expected: std::collections::BTreeSet<String> = serde_json::from_value(contract["instance"]["statuses"].clone()).unwrap();
        let sights = [Sight::NodeOffline, Sight::NodeDown, Sight::Running, Sight::StoppedFromInside, Sight::Elsewhere, Sight::Nowhere];
        let mut found = std::collections::BTreeSet::new();
        for wanted in [AdminState::Up, AdminState::Down, AdminState::Offline] {
            for source in [AdminStateSource::Admin, AdminStateSource::User] {
                for sight in sights {
                    found.extend([false, true].map(|shutdown| word(wanted, source, sight, shutdown).to_owned()));
                }
            }
        }
        assert_eq!(found, expected);
    }
}

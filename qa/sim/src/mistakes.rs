//! Mistakes that the simulator must notice, by name.

use gannet_daemon::world::Mistake;

/// All of them.
pub(crate) const MISTAKES: [(&str, Mistake); 7] = [
    ("epoch-unchecked", Mistake::EpochUnchecked),
    ("no-sync", Mistake::NoSync),
    ("vote-forgotten", Mistake::VoteForgotten),
    ("no-journal", Mistake::NoJournal),
    ("locks-ignored", Mistake::LocksIgnored),
    ("conditions-ignored", Mistake::ConditionsIgnored),
    ("early-ack", Mistake::EarlyAck),
];

/// Those that are noticed only in some of many schedules: `run --broken NAME` tries them for as long as wanted.
pub(crate) const SELDOM: [&str; 2] = ["epoch-unchecked", "vote-forgotten"];

/// The mistake of this name.
///
/// # Errors
/// There is none; the text says which there are.
pub(crate) fn named(name: &str) -> Result<Mistake, String> {
    let found = MISTAKES.iter().find(|(known, _)| *known == name);
    found.map(|(_, mistake)| *mistake).ok_or_else(|| {
        let known: Vec<&str> = MISTAKES.iter().map(|(known, _)| *known).collect();
        format!("there is no such mistake; there are {}", known.join(", "))
    })
}

//! SQLite and the model agree; a state that was opened again is the same.

use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::entry::{Entry, Payload, Position};
use super::state::State;
use crate::command::{Command, Condition, Expect, Key, Kind, Row, Write};
use crate::state::Model;

fn entry(index: u64, term: u64, commands: Vec<Command>) -> Entry {
    Entry { at: Position { index, term }, payload: Payload::Batch(Arc::new(commands)) }
}

fn key() -> impl Strategy<Value = Key> {
    let kind = prop::sample::select(vec![Kind::JOB, Kind::ARCHIVE, Kind::NODE]);
    (kind, "[a-c]").prop_map(|(kind, id)| Key::new(kind, id))
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        (key(), "[a-z]{0,4}").prop_map(|(key, json)| Write::Put { key, json }),
        key().prop_map(|key| Write::Delete { key }),
        (key(), key()).prop_map(|(from, to)| Write::Move { from, to }),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let expect = prop_oneof![Just(Expect::Absent), Just(Expect::Exists), (1..4u64).prop_map(Expect::Rev),];
    (key(), expect).prop_map(|(key, expect)| Condition { key, expect })
}

fn command() -> impl Strategy<Value = Command> {
    (prop::option::of("[a-e]"), 0..3u64, prop::collection::vec(condition(), 0..2), prop::collection::vec(write(), 0..4))
        .prop_map(|(token, epoch, conditions, writes)| Command { token, epoch, conditions, writes })
}

fn all_rows(state: &State) -> Vec<Row> {
    let mut rows = state.list(Kind::ARCHIVE, "", 1000, usize::MAX).unwrap();
    let dumped = state.dump(usize::MAX, |portion| {
        rows.extend(portion);
        true
    });
    dumped.unwrap();
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sqlite_does_what_the_model_does(
        batches in prop::collection::vec(prop::collection::vec(command(), 1..5), 1..8),
        terms in prop::collection::vec(0..2u64, 8),
    ) {
        let dir = TempDir::new().unwrap();
        let mut model = Model::default();
        let mut state = State::open(dir.path()).unwrap();
        let mut mirror: std::collections::BTreeMap<Key, Row> = Default::default();
        let mut changes = state.subscribe();
        let mut term = 0;
        for (number, commands) in batches.iter().enumerate() {
            term += terms[number];
            let index = number as u64 + 1;
            let expected: Vec<_> =
                commands.iter().map(|command| model.apply(term, command).0).collect();
            let found = state.apply(&[entry(index, term, commands.clone())]).unwrap();
            prop_assert_eq!(&found[0], &expected);
            let change = futures::FutureExt::now_or_never(changes.next()).unwrap().unwrap();
            prop_assert_eq!(change.index, index);
            for change in &change.changes {
                match change {
                    crate::RowChange::Put(row) => { mirror.insert(row.key.clone(), row.clone()); }
                    crate::RowChange::Deleted(key) => { mirror.remove(key); }
                }
            }
            let rows: Vec<Row> = model.rows().cloned().collect();
            prop_assert_eq!(all_rows(&state), rows.clone());
            // Who follows has the same, but for the archive.
            let followed: Vec<Row> =
                rows.into_iter().filter(|row| !row.key.kind.is_archive()).collect();
            prop_assert_eq!(mirror.values().cloned().collect::<Vec<_>>(), followed);
            if number % 3 == 2 {
                drop((state, changes));
                state = State::open(dir.path()).unwrap();
                changes = state.subscribe();
            }
        }
    }
}

#[test]
fn old_tokens_are_forgotten_by_both() {
    let dir = TempDir::new().unwrap();
    let state = State::open(dir.path()).unwrap();
    let mut model = Model::default();
    let count = crate::command::TOKENS_REMEMBERED + 2;
    let commands: Vec<Command> = (0..count).map(|n| Command::new(1).token(n.to_string())).collect();
    commands.iter().for_each(|command| drop(model.apply(1, command)));
    state.apply(&[entry(1, 1, commands)]).unwrap();
    // 0 and 1 were forgotten, 2 was not (and would be by remembering 0 again).
    for (number, token) in ["2", "0"].into_iter().enumerate() {
        let again = Command::new(1).token(token).put(Key::new("job", token), "x");
        let expected = model.apply(1, &again).0;
        let index = number as u64 + 2;
        assert_eq!(state.apply(&[entry(index, 1, vec![again])]).unwrap(), [[expected]]);
    }
    assert_eq!(state.get(&Key::new("job", "0")).unwrap().map(|row| row.rev), Some(1));
    assert_eq!(state.get(&Key::new("job", "2")).unwrap(), None);
}

#[test]
fn a_snapshot_replaces_everything() {
    let dirs = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let from = State::open(dirs[0].path()).unwrap();
    let put = |id: &str| Command::new(1).token(id).put(Key::new("job", id), "x");
    from.apply(&[entry(1, 1, vec![put("a"), put("b")])]).unwrap();
    let to = State::open(dirs[1].path()).unwrap();
    to.apply(&[entry(1, 1, vec![put("other")])]).unwrap();
    let mut follower = to.subscribe();
    let file = from.copy_to_file().unwrap();
    // What comes after the copy is not in it.
    from.apply(&[entry(2, 1, vec![put("c")])]).unwrap();
    to.install(&file).unwrap();
    assert_eq!(to.progress().unwrap().applied, Some((1, 1)));
    let ids: Vec<String> = all_rows(&to).into_iter().map(|row| row.key.id).collect();
    assert_eq!(ids, ["a", "b"]);
    let lagged = futures::FutureExt::now_or_never(follower.next()).unwrap();
    assert!(matches!(lagged, Err(crate::Error::Lagged)), "{lagged:?}");
    let path = file.path().to_owned();
    drop(file);
    assert!(!path.exists());
}

/// A transaction that began with a read failed at once when it came to write
/// while a checkpoint held writers up; that stopped Raft.
#[test]
fn a_write_waits_for_a_checkpoint() {
    let dir = TempDir::new().unwrap();
    let state = State::open(dir.path()).unwrap();
    let other = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writing = std::thread::spawn(move || {
        let put = Command::new(1).put(Key::new("job", "a"), "x");
        state.apply(&[entry(1, 1, vec![put])])
    });
    // Long enough for the write to come to the lock; if it does not, the test
    // passes without proving anything, never fails.
    std::thread::sleep(std::time::Duration::from_millis(200));
    other.execute_batch("COMMIT").unwrap();
    writing.join().unwrap().unwrap();
}

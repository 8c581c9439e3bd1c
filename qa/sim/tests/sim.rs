//! The simulator in CI: schedules for a fixed time, a seed that replays exactly, and mistakes made on purpose that are all noticed.
//!
//! `GANNET_SIM_SEED` chooses other schedules, `GANNET_SIM_SECONDS` more of them.

use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The schedules use both cores: one test at a time.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn sim(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).output();
    output.unwrap_or_else(|error| panic!("the simulator does not start: {error}"))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn setting(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_runs_twice() {
    let _turn = turn();
    let (seconds, seed) = (setting("GANNET_SIM_SECONDS", "60"), setting("GANNET_SIM_SEED", "1"));
    let output = sim(&["run", "--seconds", &seconds, "--seed", &seed]);
    println!("{}", text(&output));
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn a_seed_replays_exactly() {
    let _turn = turn();
    let runs: Vec<String> = (0..2).map(|_| text(&sim(&["one", "--seed", "11", "--chaos", "30"]))).collect();
    assert!(runs[0].contains("\"digest\""), "{}", runs[0]);
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn mistakes_are_noticed() {
    let _turn = turn();
    let output = sim(&["mistakes", "--seconds", "240"]);
    println!("{}", text(&output));
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn a_wrong_name_is_refused() {
    let output = sim(&["run", "--broken", "everything"]);
    assert!(!output.status.success());
    assert!(text(&output).contains("there is no such mistake; there are epoch-unchecked, "), "{}", text(&output));
}

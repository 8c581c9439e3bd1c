//! Real virtual nodes: needs root, libvirt and QEMU (`cargo xtask test lab` installs them).

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use xtask::lab::Lab;
use xtask::{process, run};

fn xtask(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("vnode").arg("--dir").arg(dir).args(arguments);
    command
}

/// Ends a lab when its test is over, however that ends.
struct Ended(std::path::PathBuf);

impl Drop for Ended {
    fn drop(&mut self) {
        if let Ok(Some(lab)) = Lab::load(&self.0)
            && let Err(error) = lab.down()
        {
            eprintln!("{error:#}");
        }
    }
}

#[track_caller]
fn succeeds(command: &mut Command) -> Output {
    let output = run::output(command, Duration::from_secs(300)).expect("it runs");
    assert!(output.status.success(), "{}: {}", run::describe(command), String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn a_guest_moves_live_and_nodes_fail_and_return() {
    let dir = tempfile::tempdir().expect("a directory");
    let _ended = Ended(dir.path().join("lab"));
    let output = succeeds(&mut xtask(&dir.path().join("lab"), &["smoke"]));
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in ["none lost", "a cut node does not answer", "a frozen node does not answer", "power loss took", "is left"] {
        assert!(talk.contains(part), "no `{part}` in: {talk}");
    }
    assert!(process::marked(dir.path()).is_empty(), "processes are left");
}

#[test]
fn a_start_that_is_killed_anywhere_can_be_cleaned_up_and_repeated() {
    let dir = tempfile::tempdir().expect("a directory");
    let lab_dir = dir.path().join("lab");
    let _ended = Ended(lab_dir.clone());
    for delay_ms in [5, 20, 60, 120, 200, 300, 450] {
        let mut child = xtask(&lab_dir, &["up", "3"]).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(delay_ms));
        let _ = child.kill();
        child.wait().expect("ended");
        if let Some(lab) = Lab::load(&lab_dir).expect("readable") {
            lab.down().unwrap_or_else(|error| panic!("killed after {delay_ms} ms: {error:#}"));
            assert!(lab.leftovers().is_empty(), "{:?}", lab.leftovers());
        }
    }
    succeeds(&mut xtask(&lab_dir, &["up", "2"]));
    succeeds(&mut xtask(&lab_dir, &["down"]));
    assert!(!lab_dir.exists(), "the directory is left");
}

#[test]
fn labs_live_side_by_side() {
    let dir = tempfile::tempdir().expect("a directory");
    let labs = ["a", "b"].map(|name| dir.path().join(name));
    let _ended = labs.each_ref().map(|lab| Ended(lab.clone()));
    for lab in &labs {
        succeeds(&mut xtask(lab, &["up", "2"]));
    }
    let [a, b] = labs.each_ref().map(|lab| Lab::load(lab).expect("readable").expect("there"));
    assert_ne!(a.prefix, b.prefix);
    succeeds(&mut xtask(&labs[0], &["down"]));
    assert!(b.nodes.iter().all(|node| b.is_on(node)), "the other lab was hit");
    let output = succeeds(&mut xtask(&labs[1], &["exec", "node2", "hostname"]));
    assert_eq!(output.stdout, b"node2\n");
    succeeds(&mut xtask(&labs[1], &["down"]));
}

//! Starting and stopping daemons, here a shell script in the place of one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// A directory with a copy of `gnt`, beside which a program called `gannet-noded` lies.
fn install(dir: &Path, script: &str) {
    std::fs::copy(env!("CARGO_BIN_EXE_gnt"), dir.join("gnt")).unwrap();
    let program = dir.join("gannet-noded");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn gnt(dir: &Path, words: &[&str]) -> (i32, String) {
    let output = Command::new(dir.join("gnt")).arg("daemon-util").args(words).env("GANETI_ROOTDIR", dir.join("root")).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_daemon_that_ends_at_once_is_told() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), "#!/bin/sh\necho no configuration >&2\nexit 3\n");
    let (code, told) = gnt(dir.path(), &["start", "gannet-noded"]);
    assert_eq!(code, 1);
    assert!(told.contains("gannet-noded ended before it was ready (exit status: 3)"), "{told}");
    let log = dir.path().join("root/var/log/ganeti/gannet-noded.start.log");
    assert_eq!(std::fs::read_to_string(log).unwrap(), "no configuration\n");
}

#[test]
fn names_and_states() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), "#!/bin/sh\n");
    assert_eq!(gnt(dir.path(), &["status", "ganeti-noded"]), (1, "gannet-noded is not running\n".into()));
    assert_eq!(gnt(dir.path(), &["is-alive", "gannet-noded"]).0, 1);
    assert_eq!(gnt(dir.path(), &["stop", "ganeti-luxid"]).0, 0);
    assert_eq!(gnt(dir.path(), &["start", "nix"]).0, 1);
    assert_eq!(gnt(dir.path(), &["restart"]).0, 2);
    assert_eq!(gnt(dir.path(), &["list-start-daemons"]), (0, "gannet-noded\n".into()));
    // A pid file whose process is another program is not believed.
    let run = dir.path().join("root/run/ganeti");
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(run.join("gannet-noded.pid"), std::process::id().to_string()).unwrap();
    assert_eq!(gnt(dir.path(), &["check", "gannet-noded"]).0, 1);
}

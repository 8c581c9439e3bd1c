//! Starting and stopping daemons, here a shell script in the place of one.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// A directory in which `gnt` lies beside what the test puts there.
fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::hard_link(env!("CARGO_BIN_EXE_gnt"), dir.path().join("gnt")).unwrap();
    dir
}

/// Writes a program, by a process of its own: a file that this one had open could still be open in a child that another test has just
/// forked, and the system runs no file that is open for writing.
fn install(dir: &Path, name: &str, script: &str) {
    let program = dir.join(name);
    let mut shell = Command::new("sh").args(["-c", "cat > \"$0\""]).arg(&program).stdin(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn gnt(dir: &Path, words: &[&str]) -> (i32, String) {
    let output = Command::new(dir.join("gnt")).arg("daemon-util").args(words).env("GANETI_ROOTDIR", dir.join("root")).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_daemon_that_ends_at_once_is_told() {
    let dir = directory();
    install(dir.path(), "gannet-noded", "#!/bin/sh\necho no configuration >&2\nexit 3\n");
    let (code, told) = gnt(dir.path(), &["start", "gannet-noded"]);
    assert_eq!(code, 1);
    assert!(told.contains("gannet-noded ended before it was ready (exit status: 3)"), "{told}");
    let log = dir.path().join("root/var/log/ganeti/gannet-noded.start.log");
    assert_eq!(std::fs::read_to_string(log).unwrap(), "no configuration\n");
}

/// A daemon in Perl, which every Debian has: it says that it is ready, writes its pid file and waits for the signal.
const DAEMON: &str = r#"#!/usr/bin/perl
use Socket;
$0 = "gannet-noded";
open(my $pid, ">", "$ENV{GANETI_ROOTDIR}/run/ganeti/gannet-noded.pid") or die;
print $pid "$$\n";
close($pid);
$SIG{TERM} = sub { exit 0 };
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die;
send($socket, "STATUS=up\nREADY=1", 0, sockaddr_un($ENV{NOTIFY_SOCKET})) or die;
sleep 600;
"#;

#[test]
fn a_daemon_is_started_found_and_stopped() {
    let dir = directory();
    install(dir.path(), "gannet-noded", DAEMON);
    assert_eq!(gnt(dir.path(), &["start", "ganeti-noded"]), (0, String::new()));
    assert_eq!(gnt(dir.path(), &["status", "gannet-noded"]), (0, "gannet-noded is running\n".into()));
    let file = dir.path().join("root/run/ganeti/gannet-noded.pid");
    let pid = std::fs::read_to_string(&file).unwrap();
    assert_eq!(gnt(dir.path(), &["start", "gannet-noded"]).0, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), pid, "a running daemon is not started again");
    assert!(!dir.path().join("root/run/ganeti/gannet-noded.notify").exists());
    assert_eq!(gnt(dir.path(), &["stop", "gannet-noded"]), (0, String::new()));
    assert_eq!(gnt(dir.path(), &["is-alive", "gannet-noded"]).0, 1);
    assert!(!file.exists());
}

/// Once a configuration daemon kept no pid file: `stop` did not find it, and the next start failed as the database was in use.
#[test]
fn a_daemon_without_a_pid_file_is_found_too() {
    let dir = directory();
    let silent: Vec<&str> = DAEMON.lines().filter(|line| !line.contains("$pid")).collect();
    install(dir.path(), "gannet-noded", &silent.join("\n"));
    assert_eq!(gnt(dir.path(), &["start", "gannet-noded"]), (0, String::new()));
    assert_eq!(gnt(dir.path(), &["stop", "gannet-noded"]), (0, String::new()));
    assert_eq!(gnt(dir.path(), &["is-alive", "gannet-noded"]).0, 1);
}

/// `gnt-cluster init` hands the options to `gannet-masterd bootstrap` as JSON, and starts the daemons after it.
#[test]
fn init_describes_the_cluster() {
    let dir = directory();
    install(dir.path(), "gannet-masterd", "#!/bin/sh\n[ \"$1\" = bootstrap ] && cat > \"$GANETI_ROOTDIR/spec\"\n");
    let root = dir.path().join("root");
    std::fs::create_dir_all(&root).unwrap();
    let line = "--enabled-hypervisors fake --enabled-disk-templates file,diskless --master-netdev eth0 -B vcpus=2 --specs-mem-size max=2g \
                --no-etc-hosts --no-ssh-init -N mode=bridged,link=br0 -s 192.0.2.1 cluster.example.com";
    let output = Command::new(dir.path().join("gnt"))
        .args(["cluster", "init"])
        .args(line.split_whitespace())
        .env("GANETI_ROOTDIR", &root)
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("The cluster is made, but gannet-confd did not start"), "{told}");
    assert_eq!(output.status.code(), Some(1));
    let spec: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(root.join("spec")).unwrap()).unwrap();
    insta::assert_snapshot!("init", serde_json::to_string_pretty(&spec).unwrap());
}

#[test]
fn names_and_states() {
    let dir = directory();
    install(dir.path(), "gannet-noded", "#!/bin/sh\n");
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

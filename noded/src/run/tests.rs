use super::*;

fn sh(script: &str) -> Program {
    Program::new("/bin/sh").arg("-c").arg(script)
}

#[tokio::test]
async fn output_and_environment() {
    let output = sh("cat; echo \"$A ${HOME-none}\" >&2; pwd").env("A", "1").stdin("in\n").output().await.unwrap();
    assert_eq!((output.text().as_str(), output.stderr.as_slice()), ("in\n/\n", b"1 none\n".as_slice()));
    let only = Program::new("/usr/bin/env").only_env([("X", "y")]).output().await.unwrap();
    assert_eq!(only.text(), "X=y\n");
}

#[tokio::test]
async fn ends_that_are_not_good() {
    let error = sh("echo why >&2; exit 3").output().await.unwrap_err();
    assert_eq!(error.to_string(), "/bin/sh exited with exit code 3: why");
    assert!(matches!(sh("kill -9 $$").output().await, Err(Error::Killed { signal: 9, .. })));
    assert!(matches!(Program::new("/nonexistent").output().await, Err(Error::Spawn { .. })));
    assert_eq!(sh("exit 4").finish().await.unwrap().exit, Exit::Status(4));
}

#[tokio::test]
async fn output_is_capped_and_never_blocks() {
    let output = sh("head -c 300000 /dev/zero; echo end >&2").output_limit(1000).output().await.unwrap();
    assert!(output.truncated && output.stdout.len() == 1000 && output.stderr == b"end\n");
}

#[tokio::test]
async fn the_deadline_ends_the_whole_group() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("alive");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // The grandchild ignores SIGTERM and holds the fifo open: reading it ends only when the grandchild is dead.
    let script = format!("trap '' TERM; sleep 1000 > {} & wait; sleep 1000", fifo.display());
    let reader = tokio::task::spawn_blocking(move || std::fs::read(fifo));
    let error = sh(&script).timeout(Duration::from_millis(100)).output().await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert_eq!(reader.await.unwrap().unwrap(), b"");
}

#[tokio::test]
async fn dropping_kills_the_group() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("alive");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let script = format!("(echo up; exec sleep 1000) > {} & echo started; wait", fifo.display());
    let reader = tokio::task::spawn_blocking(move || std::fs::read(fifo));
    let mut running = sh(&script).start().unwrap();
    assert!(matches!(running.next().await.unwrap(), Event::Data(data) if data == b"started\n"));
    drop(running);
    reader.await.unwrap().unwrap();
}

#[tokio::test]
async fn streams_both_outputs_in_order() {
    let mut running = sh("echo 1; echo 2 >&2; echo 3; exit 5").start().unwrap();
    let mut all = Vec::new();
    let exit = loop {
        match running.next().await.unwrap() {
            Event::Data(data) => all.extend(data),
            Event::End(exit) => break exit,
        }
    };
    assert_eq!((all.as_slice(), exit), (b"1\n2\n3\n".as_slice(), Exit::Status(5)));
}

#[tokio::test]
async fn a_leftover_is_found_again_and_ended() {
    let mut running = sh("echo up; sleep 1000").start().unwrap();
    running.next().await.unwrap();
    let identity: Started = serde_json::from_str(&serde_json::to_string(&running.identity().unwrap()).unwrap()).unwrap();
    let mut other = identity.clone();
    other.start_ticks += 1;
    assert_eq!(other.kill_leftover(), Leftover::None);
    assert!(matches!(identity.kill_leftover(), Leftover::Killed(1..)));
    assert!(matches!(running.next().await.unwrap(), Event::End(Exit::Signal(9))));
    assert_eq!(identity.kill_leftover(), Leftover::None);
}

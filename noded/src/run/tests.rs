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

/// A program with a child that has inherited the writing end of a fifo: reading ends only when both are gone. It has
/// said `started` when this returns.
async fn with_child(script: &str, timeout: Duration) -> (Running, pipe::Receiver, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("alive");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let alive = pipe::OpenOptions::new().open_receiver(&fifo).unwrap();
    let script = format!("exec 9> {}; {script}", fifo.display());
    let mut running = sh(&script).timeout(timeout).start().unwrap();
    assert!(matches!(running.next().await.unwrap(), Event::Data(data) if data == b"started\n"));
    (running, alive, dir)
}

async fn all_gone(mut alive: pipe::Receiver) {
    let mut rest = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut alive, &mut rest).await.unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn the_deadline_ends_the_whole_group() {
    let script = "trap '' TERM; sleep 1000 & echo started; wait; sleep 1000";
    let (mut running, alive, _dir) = with_child(script, Duration::from_secs(3)).await;
    let error = running.next().await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    all_gone(alive).await;
}

#[tokio::test]
async fn dropping_kills_the_group() {
    let (running, alive, _dir) = with_child("sleep 1000 & echo started; wait", Duration::from_secs(60)).await;
    drop(running);
    all_gone(alive).await;
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

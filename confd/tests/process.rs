//! The real daemon, killed and starved: what it acknowledged stays.
#![allow(clippy::unwrap_used)]
// Starting and killing processes is what these tests are about.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command as Program, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gannet_confd::{Client, Command, Error, Event, Expect, Identity, Key, Outcome, Row, RowChange};
use tempfile::TempDir;

const CONFD: &str = env!("CARGO_BIN_EXE_gannet-confd");

/// A daemon with its root; killed when dropped.
struct Daemon {
    root: TempDir,
    child: Option<Child>,
}

impl Daemon {
    async fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let identity = Identity { id: 1, name: "node1".to_owned(), address: "127.0.0.1:1816".to_owned() };
        let rows = vec![(Key::new("cluster", "cluster"), "{}".to_owned())];
        let dir = root.path().join("var/lib/ganeti/confd");
        gannet_confd::bootstrap(&dir, &identity, rows).await.unwrap();
        Self { root, child: None }
    }

    fn start(&mut self, program: &str, before: &[&str], after: &[&str]) {
        let mut command = Program::new(program);
        command.args(before).arg("--root").arg(self.root.path());
        command.arg("--foreground").args(["--log-level", "warn"]).args(after);
        command.stdout(Stdio::null());
        self.child = Some(command.spawn().unwrap());
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn socket(&self) -> std::path::PathBuf {
        gannet_core::paths::Paths::new(Some(self.root.path().to_owned())).confd_socket()
    }

    /// Connects to a daemon that leads.
    async fn client(&self) -> Client {
        leader(&self.socket()).await
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn leader(socket: &Path) -> Client {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Ok(client) = Client::connect(socket).await
            && client.read_index().await.is_ok()
        {
            return client;
        }
        assert!(Instant::now() < deadline, "confd does not come up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn epoch(client: &Client) -> u64 {
    client.status().await.unwrap().role.term
}

/// Two rows in one command.
fn pair(epoch: u64, id: &str) -> Command {
    Command::new(epoch)
        .token(format!("token-{id}"))
        .expect(Key::new("job", id), Expect::Absent)
        .put(Key::new("job", id), format!("{{\"id\":\"{id}\"}}"))
        .put(Key::new("meta", id), "1")
}

async fn rows(client: &Client) -> BTreeMap<Key, Row> {
    let (rows, _) = client.follow().await.unwrap().dump().await.unwrap();
    rows.into_iter().map(|row| (row.key.clone(), row)).collect()
}

/// Numbers that look random and are the same each time.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9() {
    let mut daemon = Daemon::new().await;
    let mut random = Seeded(2);
    let acknowledged: Arc<Mutex<Vec<String>>> = Arc::default();
    for round in 0..8 {
        daemon.start(CONFD, &[], &[]);
        let client = daemon.client().await;
        let epoch = epoch(&client).await;
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (client, acknowledged) = (client.clone(), Arc::clone(&acknowledged));
                tokio::spawn(async move {
                    for number in 0.. {
                        let id = format!("{round}-{writer}-{number}");
                        match client.propose(pair(epoch, &id)).await {
                            Ok(done) => assert!(matches!(done.outcome, Outcome::Applied { .. })),
                            Err(_killed) => return,
                        }
                        acknowledged.lock().unwrap().push(id);
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(20 + random.below(400))).await;
        daemon.kill();
        for writer in writers {
            writer.await.unwrap();
        }
    }
    daemon.start(CONFD, &[], &[]);
    let client = daemon.client().await;
    let rows = rows(&client).await;
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() > 50, "only {} writes", acknowledged.len());
    for id in &acknowledged {
        assert!(rows.contains_key(&Key::new("job", id.as_str())), "{id} is lost");
    }
    for key in rows.keys() {
        let other = match key.kind.as_str() {
            "job" => "meta",
            "meta" => "job",
            _ => continue,
        };
        let other = Key::new(other, key.id.as_str());
        assert!(rows.contains_key(&other), "{key} is there without {other}");
        assert_eq!(rows[key].rev, 1, "{key} was applied twice");
    }
    // A client that did not hear the answer asks again.
    let id = acknowledged.last().unwrap();
    let again = client.propose(pair(epoch(&client).await, id)).await.unwrap();
    assert_eq!(again.outcome, Outcome::Applied { revs: vec![1, 1] });
    assert!(again.index > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_an_error_and_not_the_end() {
    // Files cannot grow above 3 MiB; the signal that would kill is ignored.
    const LIMIT: &str = "trap '' XFSZ; exec prlimit --fsize=3145728:unlimited \"$0\" \"$@\"";
    let mut daemon = Daemon::new().await;
    daemon.start("sh", &["-c", LIMIT, CONFD], &[]);
    let client = daemon.client().await;
    let now = epoch(&client).await;
    let text = "x".repeat(100_000);
    let mut written = Vec::new();
    let error = loop {
        let id = written.len().to_string();
        let command = Command::new(now).put(Key::new("job", id.as_str()), text.as_str());
        match client.propose(command).await {
            Ok(_) => written.push(id),
            Err(error) => break error,
        }
        assert!(written.len() < 1000, "the limit has no effect");
    };
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let pid = daemon.child.as_ref().unwrap().id().to_string();
    let raised = Program::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:unlimited"]).status();
    assert!(raised.unwrap().success());
    // The same process comes back by itself.
    let client = daemon.client().await;
    let rows = rows(&client).await;
    for id in &written {
        assert!(rows.contains_key(&Key::new("job", id.as_str())), "{id} is lost");
    }
    let command = Command::new(epoch(&client).await).put(Key::new("job", "after"), "1");
    client.propose(command).await.unwrap();
    assert!(daemon.child.as_mut().unwrap().try_wait().unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_little_space_refuses_writes_and_serves_reads() {
    let mut daemon = Daemon::new().await;
    daemon.start(CONFD, &[], &["--reserve", "1000000000"]);
    let client = daemon.client().await;
    let refused = client.propose(pair(epoch(&client).await, "1")).await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("MiB are free"), "{text}");
    assert!(client.get(Key::new("cluster", "cluster")).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_sees_every_change_once() {
    let mut daemon = Daemon::new().await;
    daemon.start(CONFD, &[], &[]);
    let client = daemon.client().await;
    let epoch = epoch(&client).await;
    const WRITERS: usize = 8;
    const WRITES: usize = 40;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut last = 0;
                for number in 0..WRITES {
                    // Everyone also counts in one row.
                    let id = format!("{writer}-{number}");
                    let command = pair(epoch, &id).put(Key::new("meta", "counter"), id);
                    last = client.propose(command).await.unwrap().index;
                }
                last
            })
        })
        .collect();
    // Begins while the writers write.
    let mut followers = Vec::new();
    for _ in 0..4 {
        let client = client.clone();
        followers.push(tokio::spawn(async move {
            let mut follower = client.follow().await.unwrap();
            let (rows, index) = follower.dump().await.unwrap();
            let mut mirror: BTreeMap<Key, Row> = rows.into_iter().map(|row| (row.key.clone(), row)).collect();
            let counter = Key::new("meta", "counter");
            let total = (WRITERS * WRITES) as u64;
            let mut at = index;
            while mirror.get(&counter).is_none_or(|row| row.rev < total) {
                let Event::Change(change) = follower.next().await.unwrap() else {
                    panic!("only changes follow");
                };
                assert_eq!(change.index, at + 1);
                at = change.index;
                for change in change.changes {
                    let RowChange::Put(row) = change else {
                        panic!("nothing was deleted");
                    };
                    let before = mirror.get(&row.key).map_or(0, |row| row.rev);
                    assert_eq!(row.rev, before + 1, "{}", row.key);
                    mirror.insert(row.key.clone(), row);
                }
            }
            mirror
        }));
    }
    let mut last = 0;
    for writer in writers {
        last = last.max(writer.await.unwrap());
    }
    let state = rows(&client).await;
    for follower in followers {
        assert_eq!(follower.await.unwrap(), state);
    }
    assert!(client.status().await.unwrap().applied >= last);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_archive_is_listed_and_not_followed() {
    let mut daemon = Daemon::new().await;
    daemon.start(CONFD, &[], &[]);
    let client = daemon.client().await;
    let epoch = epoch(&client).await;
    let mut follower = client.follow().await.unwrap();
    follower.dump().await.unwrap();
    for id in ["1", "2", "3"] {
        let (job, archived) = (Key::new("job", id), Key::new("archive", id));
        let put = Command::new(epoch).put(job.clone(), id);
        client.propose(put).await.unwrap();
        follower.next().await.unwrap();
        let archive = Command::new(epoch).rename(job.clone(), archived);
        client.propose(archive).await.unwrap();
        let Event::Change(change) = follower.next().await.unwrap() else {
            panic!("only changes follow");
        };
        assert_eq!(change.changes, [RowChange::Deleted(job)]);
    }
    let listed = client.list("archive", "1", 10).await.unwrap();
    let ids: Vec<&str> = listed.iter().map(|row| row.json.as_str()).collect();
    assert_eq!(ids, ["2", "3"]);
    assert!(rows(&client).await.keys().all(|key| !key.kind.is_archive()));
}

#[tokio::test]
async fn a_second_daemon_and_a_second_bootstrap_are_refused() {
    let mut daemon = Daemon::new().await;
    daemon.start(CONFD, &[], &[]);
    let _client = daemon.client().await;
    let second = Program::new(CONFD).arg("--root").arg(daemon.root.path()).arg("-f").output();
    let second = second.unwrap();
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && text.contains("is in use"), "{text}");
    daemon.kill();
    let dir = daemon.root.path().join("var/lib/ganeti/confd");
    let identity = Identity::load(&dir).unwrap().unwrap();
    let again = gannet_confd::bootstrap(&dir, &identity, Vec::new()).await;
    assert!(matches!(again, Err(Error::Invalid { .. })), "{again:?}");
}

#[tokio::test]
async fn a_node_without_a_cluster_says_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    let output = Program::new(CONFD).arg("--root").arg(root.path()).arg("-f").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("gnt-cluster init"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_stops_it_with_followers_attached() {
    let mut daemon = Daemon::new().await;
    daemon.start(CONFD, &[], &[]);
    let client = daemon.client().await;
    let mut follower = client.follow().await.unwrap();
    follower.dump().await.unwrap();
    let mut roles = client.roles().await.unwrap();
    assert!(roles.next().await.unwrap().is_leader());
    let mut child = daemon.child.take().unwrap();
    let pid = child.id().to_string();
    assert!(Program::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = loop {
        match follower.next().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(ended, Error::Unavailable { .. }), "{ended:?}");
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(status.success(), "{status}");
}

/// MiB that a process has in memory.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib >> 10
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_stays_small_with_many_jobs() {
    let mut daemon = Daemon::new().await;
    daemon.start(CONFD, &[], &[]);
    let client = daemon.client().await;
    let epoch = epoch(&client).await;
    let kinds = [("instance", 1000, 4000), ("job", 10_000, 3000)];
    for (kind, count, size) in kinds {
        let text = "x".repeat(size);
        for start in (0..count).step_by(100) {
            let mut command = Command::new(epoch);
            for number in start..start + 100 {
                command = command.put(Key::new(kind, number.to_string()), text.as_str());
            }
            client.propose(command).await.unwrap();
        }
    }
    assert_eq!(rows(&client).await.len(), 11_001);
    let status = client.status().await.unwrap();
    let pid = daemon.child.as_ref().unwrap().id();
    let mib = resident(pid);
    let memory = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    println!("{memory} {status:?}");
    // A debug build has some MiB more of code than the budget's 25.
    assert!(mib <= 40, "{mib} MiB resident");
    // 34 MB of rows were written: the write-ahead logs did not keep them all.
    let state = daemon.root.path().join("var/lib/ganeti/confd/state.db-wal");
    let wal = std::fs::metadata(state).unwrap().len();
    assert!(wal < 34 << 20, "{wal} bytes of WAL");
}

//! The master daemon dies at every step of an instance's creation, one after the other. Whatever the step: after its restart
//! the job has come to an end that its log explains, and the instance is there whole, or nothing of it is.

use std::time::Duration;

use gannet_qa::{Cluster, jobs, wait_for};

const SOON: Duration = Duration::from_secs(30);
/// More steps than a creation has: the loop ends when a run passes no crash.
const MANY: u32 = 200;

fn last_creation(cluster: &Cluster) -> Option<(u64, String)> {
    let list = cluster.line("gnt-job list --no-headers --separator=: -o id,status,summary");
    let mut creations = list.stdout.lines().filter(|line| line.contains("INSTANCE_CREATE")).filter_map(|line| {
        let mut words = line.trim().split(':');
        Some((words.next()?.parse().ok()?, words.next()?.to_owned()))
    });
    creations.by_ref().last()
}

fn files_of(cluster: &Cluster, name: &str) -> usize {
    let dir = cluster.shared_storage().join(name);
    std::fs::read_dir(dir).map(|entries| entries.count()).unwrap_or(0)
}

fn guests_of(cluster: &Cluster, name: &str) -> usize {
    let dirs = cluster.nodes.iter().map(|node| cluster.at(node, "/run/ganeti/fake-hypervisor"));
    dirs.filter(|dir| {
        std::fs::read_dir(dir).into_iter().flatten().flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(name))
    })
    .count()
}

#[test]
fn the_master_dies_at_every_step_of_a_creation() {
    let cluster = Cluster::fake(2);
    let node = cluster.nodes[1].name.clone();
    let daemon = cluster.daemon(cluster.master(), "gannet-masterd");
    let (mut whole, mut undone) = (0, 0);
    for number in 1..=MANY {
        let before = last_creation(&cluster).map_or(0, |(id, _)| id);
        daemon.kill9();
        daemon.try_start(&[("GANNET_CRASH_AT", &number.to_string())]).unwrap();
        let name = format!("c{number}");
        let line = format!("gnt-instance add --submit -t sharedfile --disk 0:size=16M -o recording+default -n {node} {name}");
        // The command may find its daemon dead: what counts is what follows.
        cluster.line(&line);
        let died = wait_for("the daemon's death, or the job's end", SOON, || {
            if daemon.pid().is_none() {
                return Some(true);
            }
            last_creation(&cluster).filter(|(id, status)| *id > before && jobs::is_final(status)).map(|_| false)
        })
        .unwrap();
        if !died {
            // The next crash is armed still.
            daemon.kill9();
        }
        daemon.start();
        let job = last_creation(&cluster).filter(|(id, _)| *id > before).map(|(id, _)| id);
        match job {
            // It died before the job was durable: the command was told nothing else.
            None => assert_eq!((files_of(&cluster, &name), guests_of(&cluster, &name)), (0, 0), "step {number}"),
            Some(id) => {
                let ended = jobs::wait(&mut cluster.luxi(), id, SOON).unwrap();
                let listed =
                    cluster.line("gnt-instance list --no-headers -o name").ok().stdout.split_whitespace().any(|listed| listed == name);
                match ended.status.as_str() {
                    "success" => {
                        assert!(
                            listed && files_of(&cluster, &name) > 0 && guests_of(&cluster, &name) == 1,
                            "step {number}: {}",
                            ended.text()
                        );
                        whole += 1;
                        cluster.line(&format!("gnt-instance remove -f {name}")).ok();
                    }
                    "error" => {
                        assert_eq!(
                            (listed, files_of(&cluster, &name), guests_of(&cluster, &name)),
                            (false, 0, 0),
                            "step {number}: {}",
                            ended.text()
                        );
                        assert!(
                            ended.text().contains("master daemon stopped"),
                            "step {number}: the log does not explain: {}",
                            ended.text()
                        );
                        undone += 1;
                    }
                    other => panic!("step {number}: the job is {other}"),
                }
            }
        }
        if !died {
            println!("{} steps: after {whole} the creation went on or was complete, after {undone} it was undone", number - 1);
            assert!(undone > 5 && whole > 1, "the crash points were not where they should be");
            cluster.line("gnt-cluster verify").ok();
            return;
        }
    }
    panic!("a creation has fewer than {MANY} steps");
}

/// The agent of the node dies while it works: the job ends with an explanation, and nothing is left.
#[test]
fn the_agent_dies_in_a_creation() {
    let cluster = Cluster::fake(2);
    let node = &cluster.nodes[1];
    let agent = cluster.daemon(node, "gannet-noded");
    let hold = cluster.at(node, "/srv/ganeti/hold");
    std::fs::write(&hold, "").unwrap();
    let line = format!("gnt-instance add --submit -t sharedfile --disk 0:size=16M -o waiting+default -n {} held", node.name);
    cluster.line(&line).ok();
    wait_for("the disk", SOON, || (files_of(&cluster, "held") > 0).then_some(())).unwrap();
    agent.kill9();
    std::fs::remove_file(&hold).unwrap();
    agent.start();
    let (id, _) = last_creation(&cluster).expect("the job");
    let ended = jobs::wait(&mut cluster.luxi(), id, SOON).unwrap();
    assert_eq!(ended.status, "error", "{}", ended.text());
    assert!(ended.text().contains(&node.name), "the node is not named: {}", ended.text());
    wait_for("the end of all traces", SOON, || (files_of(&cluster, "held") == 0).then_some(())).unwrap();
    cluster.line("gnt-cluster verify").ok();
}

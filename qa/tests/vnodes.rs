//! Real QEMU guests on nodes in namespaces: the demo's own story, which proves each of its steps, and what a user does then.

use std::process::Command;
use std::time::Duration;

use gannet_qa::output::{self, Output};
use gannet_qa::programs::Programs;
use gannet_qa::wait_for;

struct Demo {
    programs: Programs,
    dir: String,
}

impl Demo {
    fn xtask(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.programs.xtask);
        command.arg("demo").args(["--dir", &self.dir]).args(arguments);
        match output::run(&mut command, Duration::from_secs(300)) {
            Ok(output) => output,
            Err(error) => panic!("{error:#}"),
        }
    }

    fn exec(&self, line: &str) -> Output {
        let words: Vec<&str> = ["exec", "--"].into_iter().chain(line.split_whitespace()).collect();
        self.xtask(&words)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let stopped = self.xtask(&["stop"]);
        if !std::thread::panicking() {
            assert!(stopped.text().contains("no process, namespace, mount or interface"), "{}", stopped.describe());
        }
    }
}

#[test]
fn the_story_on_real_guests() {
    let programs = Programs::find().unwrap();
    let demo = Demo { dir: format!("/tmp/gannet-qa-real-{}", std::process::id()), programs };
    let bin_dir = demo.programs.bin_dir.display().to_string();
    let story = demo.xtask(&["--bin-dir", &bin_dir]).ok();
    for proof in ["none lost, none doubled", "longest gap", "runs on node2 again", "its disk remembers", "verify finds no error"] {
        assert!(story.text().contains(proof), "«{proof}» is missing\n{}", story.describe());
    }
    println!("{}", story.text().lines().filter(|line| line.contains("proved")).collect::<Vec<_>>().join("\n"));

    let status = |name: &str| demo.exec(&format!("gnt-instance list --no-headers -o status {name}")).stdout.trim().to_owned();
    let name = "instance2.demo.gannet.example";
    let refused = demo.exec(&format!(
        "gnt-instance add -t sharedfile --disk 0:size=16M -o tiny+default --net 0:link=br9 -n node1.demo.gannet.example {name}"
    ));
    refused.refused(&["br9", "node1.demo.gannet.example"]);
    demo.exec(&format!("gnt-instance add -t file --disk 0:size=16M,format=qcow2 -o tiny+default -n node1.demo.gannet.example {name}")).ok();
    assert_eq!(status(name), "running");
    // The guest honours the power button: no hard stop.
    let shutdown = demo.exec(&format!("gnt-instance shutdown {name}")).ok();
    assert!(!shutdown.text().contains("stopped hard"), "{}", shutdown.describe());
    assert_eq!(status(name), "ADMIN_down");
    demo.exec(&format!("gnt-instance startup {name}")).ok();
    demo.exec(&format!("gnt-instance reboot {name}")).ok();
    wait_for("the rebooted guest", Duration::from_secs(30), || (status(name) == "running").then_some(())).unwrap();
    demo.exec(&format!("gnt-instance remove -f {name}")).ok();
    demo.exec("gnt-cluster verify").ok();
}

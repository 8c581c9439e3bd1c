//! The main job, step by step: each step prints the commands it runs, and what it proved.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::gnt::{self, Cluster};
use super::heartbeat::Monitor;
use super::{control, seconds};
use crate::lab::{Kind, Node};
use crate::{run, say};

/// The guest may be silent this long while it moves.
const LONGEST_GAP: Duration = Duration::from_secs(2);
/// A guest under emulation on a loaded machine.
const BOOT_LIMIT: Duration = Duration::from_secs(60);
const INSTANCE: &str = "instance1";
const GREETING: &str = "good-day";

/// Tells the story on a fresh cluster.
///
/// # Errors
/// The first step that did not prove what it should; the message says what to do.
pub fn tell(cluster: &Cluster) -> Result<()> {
    let mut story = Story { cluster, step: 0 };
    story.run().with_context(|| {
        format!(
            "step {} failed; the cluster still runs: look at the logs in {}/node*/var/log/ganeti, enter it with `cargo xtask demo shell`, \
             end it with `cargo xtask demo stop`",
            story.step,
            cluster.lab.base.display()
        )
    })
}

struct Story<'a> {
    cluster: &'a Cluster,
    step: u32,
}

impl Story<'_> {
    fn run(&mut self) -> Result<()> {
        self.nodes()?;
        self.os()?;
        let monitor = self.create()?;
        self.list()?;
        self.migrate(monitor)?;
        self.failover()?;
        self.return_of_the_node()?;
        self.verify()
    }

    fn begin(&mut self, title: &str) {
        self.step += 1;
        say::line("");
        say::heading(format!("{}. {title}", self.step));
    }

    fn proved(&self, what: &str) {
        say::line(format!("  proved: {what}"));
    }

    fn real(&self) -> bool {
        self.cluster.lab.kind == Kind::Real
    }

    fn name(&self) -> String {
        let domain = self.cluster.lab.cluster_name.split_once('.').map_or("", |(_, domain)| domain);
        format!("{INSTANCE}.{domain}")
    }

    /// Where the guest starts, and where it goes. With one node there is nowhere to go.
    fn places(&self) -> Result<(&Node, &Node)> {
        match self.cluster.lab.nodes.as_slice() {
            // The master stays alive in this story, so the guest lives on the others.
            [_, second, third, ..] => Ok((second, third)),
            _ => bail!("the story needs three nodes; use --bare for a smaller cluster"),
        }
    }

    fn consoles(&self) -> Vec<PathBuf> {
        self.cluster.lab.nodes.iter().map(|node| node.log_dir().join(format!("kvm/{}.console", self.name()))).collect()
    }

    fn field(&self, fields: &str) -> Result<String> {
        let line = format!("gnt-instance list --no-headers -o {fields} {}", self.name());
        let output = gnt::quiet(&self.cluster.lab, self.cluster.master()?, &line)?;
        run::check(&line, &output)?;
        Ok(String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn expect_at(&self, node: &Node) -> Result<()> {
        let seen = self.field("pnode,status")?;
        let wanted = format!("{} running", node.name);
        if seen != wanted {
            bail!("{} should be at `{wanted}`, but is at `{seen}`", self.name());
        }
        Ok(())
    }

    fn nodes(&mut self) -> Result<()> {
        self.begin("The cluster and its nodes");
        let list = self.cluster.gnt("gnt-node list")?;
        for node in &self.cluster.lab.nodes {
            if !list.contains(&node.name) {
                bail!("{} is not in the list of nodes", node.name);
            }
        }
        self.proved(&format!(
            "{} nodes are in the cluster, each with its own daemons, joined by a token without SSH",
            self.cluster.lab.nodes.len()
        ));
        Ok(())
    }

    fn os(&mut self) -> Result<()> {
        self.begin("An OS definition");
        let list = self.cluster.gnt("gnt-os list")?;
        if !list.lines().any(|line| line.trim() == "tiny+default") {
            bail!("`gnt-os list` does not name tiny+default");
        }
        self.proved("the OS definition `tiny` with its variants is valid on all nodes");
        Ok(())
    }

    fn create(&mut self) -> Result<Monitor> {
        self.begin("An instance, created and booted");
        let (from, _) = self.places()?;
        let monitor = Monitor::start(self.consoles());
        let line = format!(
            "gnt-instance add -t sharedfile --disk 0:size=16M -o tiny+default -O greeting={GREETING} -n {} {}",
            from.name,
            self.name()
        );
        let took = seconds(|| self.cluster.gnt(&line).map(drop))?;
        self.expect_at(from)?;
        if !self.real() {
            self.proved(&format!("the instance is on {} and running, {took:.2} s after the command", from.short()));
            return Ok(monitor);
        }
        let waited = Instant::now();
        let (greeting, _) = monitor.wait_for_start(1, BOOT_LIMIT)?;
        if greeting != GREETING {
            bail!("the guest says `{greeting}`, not the OS parameter `{GREETING}`");
        }
        monitor.wait_for_beats(10, BOOT_LIMIT)?;
        self.proved(&format!(
            "created and started in {took:.2} s; the guest said `{greeting}` and its heart beats on the serial console ({:.2} s later)",
            waited.elapsed().as_secs_f64()
        ));
        Ok(monitor)
    }

    fn list(&mut self) -> Result<()> {
        self.begin("Listed");
        self.cluster.gnt("gnt-instance list -o name,hypervisor,os,pnode,status,oper_ram")?;
        self.proved("the instance is where it was put, and runs");
        Ok(())
    }

    fn migrate(&mut self, monitor: Monitor) -> Result<()> {
        self.begin("Live migration");
        let (from, to) = self.places()?;
        let line = format!("gnt-instance migrate -f -n {} {}", to.name, self.name());
        let took = seconds(|| self.cluster.gnt(&line).map(drop))?;
        self.expect_at(to)?;
        if !self.real() {
            self.proved(&format!("moved from {} to {} in {took:.2} s", from.short(), to.short()));
            return Ok(());
        }
        monitor.wait_for_beats(20, BOOT_LIMIT)?;
        let record = monitor.stop();
        if record.starts() != 1 {
            bail!("the guest was started anew instead of being moved live");
        }
        let verdict = record.verdict()?;
        if verdict.longest_gap > LONGEST_GAP {
            bail!("the guest was silent for {:.3} s, {} s are allowed", verdict.longest_gap.as_secs_f64(), LONGEST_GAP.as_secs());
        }
        self.proved(&format!("moved from {} to {} in {took:.2} s: {verdict}", from.short(), to.short()));
        Ok(())
    }

    fn failover(&mut self) -> Result<()> {
        self.begin("A node dies, its instance starts elsewhere");
        let (other, dead) = self.places()?;
        let monitor = Monitor::start(self.consoles());
        say::line(format!("  (power off {})", dead.name));
        let died = Instant::now();
        self.cluster.lab.off(dead)?;
        self.cluster.gnt(&format!("gnt-node modify --offline yes {}", dead.name))?;
        self.cluster.gnt(&format!("gnt-instance failover -f --ignore-consistency -n {} {}", other.name, self.name()))?;
        self.expect_at(other)?;
        let mut memory = String::new();
        if self.real() {
            let (_, count) = monitor.wait_for_start(1, BOOT_LIMIT)?;
            monitor.wait_for_beats(10, BOOT_LIMIT)?;
            if count == 0 {
                bail!("the guest's disk has forgotten all heartbeats");
            }
            memory = format!("; its disk remembers heartbeat {count:08x}");
        }
        self.proved(&format!(
            "runs on {} again, {:.1} s after the power loss of {}{memory}",
            other.short(),
            died.elapsed().as_secs_f64(),
            dead.short()
        ));
        Ok(())
    }

    fn return_of_the_node(&mut self) -> Result<()> {
        self.begin("The dead node comes back");
        let (other, dead) = self.places()?;
        control::power_on(&self.cluster.lab, dead)?;
        self.cluster.gnt(&format!("gnt-node modify --offline no {}", dead.name))?;
        self.expect_at(other)?;
        self.proved(&format!("{} is a member again, and the instance still runs only on {}", dead.short(), other.short()));
        Ok(())
    }

    fn verify(&mut self) -> Result<()> {
        self.begin("Nothing is wrong");
        let output = self.cluster.gnt("gnt-cluster verify")?;
        if let Some(line) = output.lines().find(|line| line.contains("ERROR:") || line.contains("WARNING:")) {
            bail!("verify is not clean: {}", line.trim());
        }
        self.proved("gnt-cluster verify finds no error: no orphaned file, guest or record");
        Ok(())
    }
}

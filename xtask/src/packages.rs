//! Debian packages: names what is missing, then installs it.
//!
//! A machine may hold a package that is newer than what its configured sources offer (a backport whose source is gone). Then a
//! plain installation fails with "held broken packages"; the second try names the version that the sources have and allows the
//! downgrade, after saying so.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::{run, say};

/// apt itself waits this long for another apt (seconds).
const LOCK_WAIT_S: u32 = 300;
/// Downloads on a slow line.
const INSTALL_LIMIT: Duration = Duration::from_secs(1800);
const UPDATE_LIMIT: Duration = Duration::from_secs(300);

/// What something needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// To build the programs (the node daemon links libvirt).
    Build,
    /// To run real nodes and guests.
    Real,
    /// To run all tests.
    Test,
    /// To measure Debian's own Ganeti beside ours.
    Peer,
}

impl Group {
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Build => &["gcc", "libc6-dev", "libvirt-dev", "pkg-config"],
            // qemu-utils (qemu-img) is only recommended by the others, libvirt-daemon-system creates the account libvirt-qemu.
            Self::Real => &[
                "qemu-system-x86",
                "qemu-utils",
                "libvirt-daemon",
                "libvirt-daemon-driver-qemu",
                "libvirt-daemon-system",
                "libvirt-clients",
                "iproute2",
                "util-linux",
                "binutils",
                "e2fsprogs",
                "socat",
            ],
            Self::Test => &["python3", "python3-ganeti-rapi", "libxml2-utils", "openssl", "curl", "ganeti", "ganeti-testsuite"],
            Self::Peer => &[
                "ganeti",
                "ganeti-3.0",
                "ganeti-haskell-3.0",
                "ganeti-testsuite",
                "ganeti-os-noop",
                "ganeti-instance-debootstrap",
                "python3-ganeti-rapi",
                "openssh-server",
                "openssh-client",
                "fping",
                "socat",
                "iproute2",
                "bridge-utils",
                "iputils-arping",
                "iputils-ping",
                "psmisc",
                "python3-yaml",
                "python3-openssl",
                "cron",
            ],
        }
    }
}

/// Makes sure that all packages of the groups are installed.
///
/// # Errors
/// They cannot be installed: not root, no apt, or apt failed. The message has the command for an administrator.
pub fn ensure(groups: &[Group]) -> Result<()> {
    let wanted: BTreeSet<&str> = groups.iter().flat_map(|group| group.packages()).copied().collect();
    let wanted: Vec<&str> = wanted.into_iter().collect();
    if !Path::new("/usr/bin/dpkg-query").exists() {
        say::line(format!("This is no Debian; make sure that you have what these packages contain: {}", wanted.join(" ")));
        return Ok(());
    }
    let missing = missing(&wanted)?;
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    if !nix::unistd::geteuid().is_root() {
        bail!(
            "these Debian packages are missing, and installing them needs root: {}\nAsk an administrator to run: {by_hand}",
            missing.join(" ")
        );
    }
    say::heading(format!("Installing Debian packages: {}", missing.join(" ")));
    if try_install(&missing)? {
        return Ok(());
    }
    say::line("  the package lists may be old; updating them");
    let update = run::output(&mut apt(&["update"]), UPDATE_LIMIT)?;
    if !update.status.success() {
        say::line(format!("  `apt-get update` had errors (the installation is tried all the same): {}", last_line(&update.stderr)));
    }
    if try_install(&missing)? {
        return Ok(());
    }
    let pinned = pinned(&wanted, &missing)?;
    let arguments: Vec<&str> = pinned.iter().map(String::as_str).collect();
    let output = install(&["--allow-downgrades"], &arguments)?;
    run::check(&format!("{by_hand} --allow-downgrades"), &output)
        .map_err(|error| error.context(format!("apt cannot install what is missing; repair apt, or install by hand: {by_hand}")))
}

/// The packages that are not installed.
pub fn missing<'a>(wanted: &[&'a str]) -> Result<Vec<&'a str>> {
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f", "${Package} ${db:Status-Status}\n"]).args(wanted);
    // It fails when one is unknown, and lists the others all the same.
    let output = run::output(&mut query, Duration::from_secs(60))?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let installed: BTreeSet<&str> = listed.lines().filter_map(|line| line.strip_suffix(" installed")).collect();
    Ok(wanted.iter().copied().filter(|name| !installed.contains(name)).collect())
}

fn try_install(packages: &[&str]) -> Result<bool> {
    let output = install(&[], packages)?;
    if !output.status.success() {
        say::line(format!("  apt-get says: {}", last_line(&output.stderr)));
    }
    Ok(output.status.success())
}

/// Never removes a package: what is on this machine is somebody's.
fn install(options: &[&str], packages: &[&str]) -> Result<std::process::Output> {
    let mut command = apt(&["install", "-y", "--no-remove", "--no-install-recommends"]);
    command.args(options).args(packages);
    run::streamed(&mut command, INSTALL_LIMIT, |line| {
        if line.starts_with("Setting up ") {
            say::line(format!("  {line}"));
        }
    })
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
    command.args(["-q", "-o", &format!("DPkg::Lock::Timeout={LOCK_WAIT_S}"), "-o", "Dpkg::Options::=--force-confold"]);
    command.args(arguments);
    command
}

/// `name=version` for what is missing, and for what is installed in a newer version than any source offers.
fn pinned(wanted: &[&str], missing: &[&str]) -> Result<Vec<String>> {
    let mut pinned = Vec::new();
    for package in wanted {
        let offered = run::text(Command::new("apt-cache").args(["madison", package]), Duration::from_secs(60))?;
        let offered = madison_versions(&offered);
        let Some(best) = offered.first() else {
            if missing.contains(package) {
                bail!("no configured apt source offers the package {package}; add Debian's main archive to /etc/apt/sources.list");
            }
            continue;
        };
        if missing.contains(package) {
            pinned.push(format!("{package}={best}"));
            continue;
        }
        let installed = run::text(Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]), Duration::from_secs(60))?;
        if !offered.contains(&installed) && is_newer(&installed, best)? {
            say::line(format!(
                "  {package} {installed} is installed, but no configured source has it and it stands in the way: going back to {best}"
            ));
            pinned.push(format!("{package}={best}"));
        }
    }
    Ok(pinned)
}

/// Whether version `a` is newer than `b`, in dpkg's order.
fn is_newer(a: &str, b: &str) -> Result<bool> {
    let mut command = Command::new("dpkg");
    command.args(["--compare-versions", a, "gt", b]);
    Ok(run::output(&mut command, Duration::from_secs(60))?.status.success())
}

/// The versions that `apt-cache madison` lists, best first: `name | version | source`.
fn madison_versions(text: &str) -> Vec<String> {
    text.lines().filter(|line| line.contains(" Packages")).filter_map(|line| line.split('|').nth(1)).map(|v| v.trim().to_owned()).collect()
}

fn last_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_sources_are_read() {
        let text = "qemu-utils | 1:7.2+dfsg-7 | http://deb.debian.org/debian bookworm/main amd64 Packages\n\
                    qemu-utils | 1:7.1-1 | http://deb.debian.org/debian bookworm/main Sources\n";
        assert_eq!(madison_versions(text), ["1:7.2+dfsg-7"]);
    }

    #[test]
    fn versions_are_compared_as_dpkg_does() {
        assert!(is_newer("1:8.2+ds-1~bpo12+1", "1:7.2+dfsg-7").expect("dpkg runs"));
        assert!(!is_newer("3.0.19-1", "3.0.22-1").expect("dpkg runs"));
    }

    #[test]
    fn what_is_not_installed_is_named() {
        let found = missing(&["dpkg", "no-such-package-as-this"]).expect("dpkg-query runs");
        assert_eq!(found, ["no-such-package-as-this"]);
    }
}

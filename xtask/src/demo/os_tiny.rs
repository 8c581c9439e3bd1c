//! The OS definition `tiny` (API 20): puts the boot-sector guest on an instance's first disk.
//!
//! Variants choose how often the guest's heart beats, the parameter `greeting` what it says when it is ready. It works on raw files
//! and on what QEMU's tools understand, so also for the fake hypervisor.

use anyhow::Result;

use super::guest;
use crate::lab::{Node, files};

/// Where it is installed, below a node's root.
const DIR: &str = "srv/ganeti/os/tiny";

/// Writes the OS definition into a node's tree.
pub fn install(node: &Node, with_guest: bool) -> Result<()> {
    let dir = node.root.join(DIR);
    files::create_dir(&dir)?;
    if with_guest {
        guest::assemble(&dir.join("guest.bin"))?;
    }
    for (name, content) in
        [("ganeti_api_version", "20\n"), ("variants.list", VARIANTS), ("parameters.list", PARAMETERS), ("common.sh", COMMON)]
    {
        files::write(&dir.join(name), content, 0o644)?;
    }
    for (name, body) in [("create", CREATE), ("import", IMPORT), ("export", EXPORT), ("rename", RENAME), ("verify", VERIFY)] {
        files::write(&dir.join(name), &format!("{HEAD}{body}"), 0o755)?;
    }
    Ok(())
}

const VARIANTS: &str = "# variant: how often the guest's heart beats\ndefault\nslow\n";
const PARAMETERS: &str = "greeting What the guest says when it is ready: up to 20 letters, digits and dashes\n";

const HEAD: &str = "#!/bin/sh\nset -eu\n. \"$(dirname \"$0\")/common.sh\"\n";

const COMMON: &str = r#"# Shared by the scripts of this OS definition.
here=$(cd "$(dirname "$0")" && pwd)

fail() { echo "tiny: $*" >&2; exit 1; }

# The greeting, checked: it becomes part of the boot sector.
greeting() {
    case ${OSP_GREETING:-tiny} in
        *[!A-Za-z0-9-]*) fail "the parameter greeting may have letters, digits and dashes only, not '$OSP_GREETING'" ;;
    esac
    [ "$(printf %s "${OSP_GREETING:-tiny}" | wc -c)" -le 20 ] || fail "the parameter greeting is longer than 20 characters"
    printf %s "${OSP_GREETING:-tiny}"
}

# BIOS ticks (18 a second) between two heartbeats.
ticks() {
    case ${OS_VARIANT:-default} in
        slow) printf '\022' ;;
        *) printf '\002' ;;
    esac
}

is_qcow2() { [ "$(head -c 3 "$1")" = QFI ]; }
"#;

const CREATE: &str = r#"
[ "${DISK_COUNT:-0}" -gt 0 ] || { echo "no disks: nothing to install for ${INSTANCE_NAME:-this instance}"; exit 0; }
word=$(greeting)
if [ ! -f "$here/guest.bin" ]; then
    # Where nothing boots (fake hypervisor), the disk only says whose it is.
    printf 'tiny %s %s\n' "$INSTANCE_NAME" "$word" | dd of="$DISK_0_PATH" conv=notrunc status=none
    echo "marked $DISK_0_PATH"
    exit 0
fi
image=$(mktemp)
trap 'rm -f "$image"' EXIT
{
    head -c 472 "$here/guest.bin"
    ticks
    printf %s "$word"
    head -c $((24 - ${#word})) /dev/zero
    tail -c +498 "$here/guest.bin"
    head -c 512 /dev/zero
} > "$image"
[ "$(wc -c < "$image")" -eq 1024 ] || fail "the guest image came out with a wrong size"
if is_qcow2 "$DISK_0_PATH"; then
    qemu-img convert -n -f raw -O qcow2 "$image" "$DISK_0_PATH"
else
    dd if="$image" of="$DISK_0_PATH" conv=notrunc,fsync status=none
fi
echo "installed the heartbeat guest (variant ${OS_VARIANT:-default}, greeting $word) on $DISK_0_PATH"
"#;

const IMPORT: &str = r#"
[ "${DISK_COUNT:-0}" -gt 0 ] || exit 0
exec dd of="$IMPORT_DEVICE" bs=1M iflag=fullblock conv=notrunc,fsync status=none
"#;

const EXPORT: &str = r#"
exec dd if="$EXPORT_DEVICE" bs=1M status=none
"#;

const RENAME: &str = r#"
# The guest does not know its name.
echo "renamed $OLD_INSTANCE_NAME to $INSTANCE_NAME"
"#;

const VERIFY: &str = r#"
greeting > /dev/null
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn create(env: &[(&str, &str)]) -> (bool, Vec<u8>) {
        let dir = tempfile::tempdir().expect("a directory");
        let node = Node { index: 1, name: "n.x".into(), ip: [127, 0, 0, 1].into(), root: dir.path().into(), meta: dir.path().join("meta") };
        install(&node, false).expect("installed");
        let mut guest = vec![b'c'; 472];
        guest.extend([2; 25]);
        guest.extend([b'e'; 15]);
        std::fs::write(dir.path().join(DIR).join("guest.bin"), guest).expect("written");
        let disk = dir.path().join("disk");
        std::fs::write(&disk, vec![b'd'; 2048]).expect("written");
        let mut command = Command::new(dir.path().join(DIR).join("create"));
        command.env("DISK_COUNT", "1").env("DISK_0_PATH", &disk).env("INSTANCE_NAME", "web1").envs(env.iter().copied());
        let output = command.output().expect("the script runs");
        (output.status.success(), std::fs::read(&disk).expect("read"))
    }

    #[test]
    fn the_guest_is_written_with_its_variant_and_greeting() {
        let (ok, disk) = create(&[("OSP_GREETING", "good-day"), ("OS_VARIANT", "slow")]);
        assert!(ok);
        assert_eq!((disk[471], disk[472], &disk[473..482]), (b'c', 18, &b"good-day\0"[..]));
        assert_eq!((disk[496], disk[497], disk[511], disk[512], disk[1023], disk[1024]), (0, b'e', b'e', 0, 0, b'd'));
    }

    #[test]
    fn a_bad_greeting_is_refused_and_writes_nothing() {
        for bad in ["a b", "$(id)", "a-greeting-that-is-too-long"] {
            let (ok, disk) = create(&[("OSP_GREETING", bad)]);
            assert!(!ok && disk.iter().all(|byte| *byte == b'd'), "{bad}");
        }
    }
}

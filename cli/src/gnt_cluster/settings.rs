//! The settings that `init` and `modify` have in common, by the names of `OP_CLUSTER_SET_PARAMS`. Null is what was not given.

use serde_json::{Value, json};

use crate::args::Args;
use crate::exit::Failure;
use crate::{groups_of_params, policy};

/// The settings among the options; `present` is the policy whose single sizes older options change.
///
/// # Errors
/// A value makes no sense.
pub(super) fn from_options(args: &Args, present: Option<&Value>) -> Result<Value, Failure> {
    // An option that was not given is null, also where it has a default for the help.
    let text = |id: &str| args.text(id).filter(|_| args.given(id));
    let dict = |id: &str| args.dict(id).filter(|dict| !dict.is_empty());
    Ok(json!({
        "vg_name": text("vg-name"),
        "drbd_helper": text("drbd-usermode-helper"),
        "enabled_hypervisors": args.words("enabled-hypervisors"),
        "enabled_disk_templates": args.words("enabled-disk-templates"),
        "hvparams": groups_of_params(args, "hypervisor-parameters")?,
        "beparams": dict("backend-parameters"),
        "nicparams": dict("nic-parameters"),
        "ndparams": dict("node-parameters"),
        "diskparams": groups_of_params(args, "disk-parameters")?,
        "ipolicy": policy::from_options(args, present)?,
        "hv_state": groups_of_params(args, "hypervisor-state")?,
        "disk_state": groups_of_params(args, "disk-state")?,
        "candidate_pool_size": args.int("candidate-pool-size"),
        "mac_prefix": text("mac-prefix"),
        "master_netdev": text("master-netdev"),
        "master_netmask": netmask(args)?,
        "use_external_mip_script": args.yes_no("use-external-mip-script"),
        "uid_pool": text("uid-pool").map(uid_ranges).transpose()?,
        "maintain_node_health": args.yes_no("maintain-node-health"),
        "prealloc_wipe_disks": args.yes_no("prealloc-wipe-disks"),
        "default_iallocator": text("default-iallocator"),
        "default_iallocator_params": args.dict("default-iallocator-params"),
        "file_storage_dir": text("file-storage-dir"),
        "shared_file_storage_dir": text("shared-file-storage-dir"),
        "gluster_storage_dir": text("gluster-storage-dir"),
        "install_image": text("install-image"),
        "zeroing_image": text("zeroing-image"),
        "compression_tools": args.words("compression-tools"),
        "enabled_user_shutdown": args.yes_no("user-shutdown"),
    }))
}

fn netmask(args: &Args) -> Result<Option<u64>, Failure> {
    let parse = |text: &str| text.parse().map_err(|_| Failure::invalid(format!("Invalid netmask '{text}' (a number of bits)")));
    args.text("master-netmask").map(parse).transpose()
}

/// `1000-1010,2000` as `[[1000, 1010], [2000, 2000]]`.
///
/// # Errors
/// A part is no range.
pub(super) fn uid_ranges(text: &str) -> Result<Vec<(i64, i64)>, Failure> {
    let range = |part: &str| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        match (low.trim().parse::<i64>(), high.trim().parse::<i64>()) {
            (Ok(low), Ok(high)) if 0 <= low && low <= high => Ok((low, high)),
            _ => Err(Failure::invalid(format!("Invalid range of user ids '{part}'"))),
        }
    };
    text.split(',').filter(|part| !part.trim().is_empty()).map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(uid_ranges("1000-1010,2000").unwrap(), [(1000, 1010), (2000, 2000)]);
        assert_eq!(uid_ranges("").unwrap(), []);
        assert!(uid_ranges("9-3").is_err());
        assert!(uid_ranges("x").is_err());
    }
}

//! Opcodes about the cluster.

mod activate_master_ip;
mod config_query;
mod deactivate_master_ip;
mod destroy;
mod post_init;
mod query;
mod redist_conf;
mod rename;
mod renew_crypto;
mod repair_disk_sizes;
mod set_params;
mod verify;
mod verify_code;
mod verify_config;
mod verify_disks;
mod verify_group;

pub use activate_master_ip::ClusterActivateMasterIp;
pub use config_query::ClusterConfigQuery;
pub use deactivate_master_ip::ClusterDeactivateMasterIp;
pub use destroy::ClusterDestroy;
pub use post_init::ClusterPostInit;
pub use query::ClusterQuery;
pub use redist_conf::ClusterRedistConf;
pub use rename::ClusterRename;
pub use renew_crypto::{ClusterRenewCrypto, SshKeyType};
pub use repair_disk_sizes::ClusterRepairDiskSizes;
pub use set_params::ClusterSetParams;
pub use verify::ClusterVerify;
pub use verify_code::{VerifyCode, VerifyOptional, VerifyScope};
pub use verify_config::ClusterVerifyConfig;
pub use verify_disks::ClusterVerifyDisks;
pub use verify_group::ClusterVerifyGroup;

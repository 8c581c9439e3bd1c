//! One cluster for all tests of a program that leave nothing behind: starting one takes seconds, a command milliseconds.

use std::ops::Deref;
use std::sync::OnceLock;

use crate::Cluster;

/// The common cluster, seen by one test.
#[derive(Debug)]
pub struct Shared(&'static Cluster);

/// The common cluster (three nodes). It ends with the test program.
///
/// # Panics
/// It does not come up.
#[must_use]
pub fn cluster() -> Shared {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    Shared(CLUSTER.get_or_init(|| Cluster::fake(3)))
}

impl Deref for Shared {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the logs of the cluster's daemons will be in {} when all tests have ended", self.0.keep_logs().display());
        }
    }
}

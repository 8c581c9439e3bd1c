//! One mutex per instance.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The mutexes of all instances that calls are about right now.
#[derive(Debug, Default)]
pub struct InstanceLocks {
    held: Mutex<HashMap<String, Arc<AsyncMutex<()>>>>,
}

impl InstanceLocks {
    /// Waits for the instance's turn. The guard may be sent to the task that does the work.
    pub async fn lock(&self, instance: &str) -> OwnedMutexGuard<()> {
        self.of(instance).lock_owned().await
    }

    /// Waits at most `timeout`; `None` when another call still holds the instance then.
    pub async fn lock_within(&self, instance: &str, timeout: Duration) -> Option<OwnedMutexGuard<()>> {
        tokio::time::timeout(timeout, self.lock(instance)).await.ok()
    }

    fn of(&self, instance: &str) -> Arc<AsyncMutex<()>> {
        // inserts and removals are single operations, so the map is whole after a panic elsewhere
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, mutex| Arc::strong_count(mutex) > 1);
        held.entry(instance.to_owned()).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_call_at_a_time() {
        let locks = InstanceLocks::default();
        let guard = locks.lock("web1").await;
        let _other = locks.lock("web2").await;
        assert!(locks.lock_within("web1", Duration::from_secs(1)).await.is_none());
        drop(guard);
        assert!(locks.lock_within("web1", Duration::from_secs(1)).await.is_some());
    }
}

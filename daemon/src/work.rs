//! Work that blocks: on a thread of its own, or, in a simulated world, where every thread would be a coin toss, at once.

use tokio::task::JoinError;

use crate::world;

/// Runs `work` off the runtime's threads.
///
/// # Errors
/// It panicked.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
    if world::get().is_some() {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await
}

/// As [`blocking`], for work that goes on beside its caller.
pub fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> tokio::task::JoinHandle<T> {
    if world::get().is_some() {
        return tokio::spawn(async move { work() });
    }
    tokio::task::spawn_blocking(work)
}

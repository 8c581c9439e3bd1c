//! Opcodes about tests.

mod allocator;
mod delay;
mod dummy;
mod jqueue;
mod os_params;

pub use allocator::{AllocatorDirection, AllocatorMode, TestAllocator};
pub use delay::TestDelay;
pub use dummy::TestDummy;
pub use jqueue::TestJqueue;
pub use os_params::TestOsParams;

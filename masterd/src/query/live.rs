//! What nodes say of themselves and of their instances.

/// Asks nodes; requests for the same at the same time are one.
#[derive(Debug, Default)]
pub struct LiveCache {}

//! The state service (`state.proto`): confd's own wire format.
//!
//! Generated. The types that the rest of the tree uses are in `gannet-confd`.
#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

tonic::include_proto!("gannet.state");

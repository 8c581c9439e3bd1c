//! `gannet-rapi`: Ganeti's remote API, version 2 (`parity/rapi.json`), over HTTPS.
//!
//! A request finds its [`route::Route`] in a table that has one entry for each URI of the contract, is authenticated,
//! and becomes either a LUXI query, whose answer is rearranged without being parsed, or an opcode that is checked and
//! submitted as a job. It speaks hyper directly: the table decides between 404 and 501 as Ganeti does, and nothing of
//! a framework's router would be used.
#![forbid(unsafe_code)]

pub mod api;
pub mod auth;
pub mod call;
pub mod error;
pub mod log;
pub mod options;
pub mod route;
pub mod server;
pub mod submit;
pub mod tls;

mod body;
mod cursor;
mod flight;
mod luxi;
mod query;
mod resource;
mod shape;
mod stall;

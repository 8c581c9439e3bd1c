//! The node agent: the hands of the cluster on one node. It starts guests, makes disks, runs OS scripts and hooks, and
//! answers what the node looks like. It decides nothing: a master tells it, in calls that may be repeated.

#![forbid(unsafe_code)]

pub mod address;
pub mod console;
pub mod context;
pub mod epoch;
mod error;
pub mod facts;
pub mod files;
pub mod hook;
pub mod hypervisor;
pub mod join;
pub mod lease;
pub mod log;
mod member;
pub mod migrate;
pub mod net;
pub mod options;
pub mod os;
pub mod peer;
pub mod pipe;
pub mod rpc;
pub mod run;
pub mod server;
pub mod storage;
pub mod ticket;
pub mod tls;
pub mod verify;

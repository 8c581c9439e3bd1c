//! The LUXI server: Ganeti's local protocol on two UNIX sockets, `ganeti-query` and the historic `ganeti-master`.

mod filters;
mod jobs;
mod methods;
mod nodes;
mod server;

pub(crate) use nodes::WATCHER_PAUSE_KEY;
pub use server::{bind, serve};

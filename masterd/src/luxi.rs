//! The LUXI server: Ganeti's local protocol on two UNIX sockets, `ganeti-query` and the historic `ganeti-master`.

mod filters;
mod jobs;
mod methods;
mod nodes;
mod server;

pub(crate) use methods::call;
pub(crate) use nodes::WATCHER_PAUSE_KEY;
pub use server::bind;
pub(crate) use server::{Desk, Frame, connection, frame_of, passed_on, refusal, serve};

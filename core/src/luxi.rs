//! LUXI: Ganeti's local protocol. JSON messages, each ended by the byte 0x03, over a UNIX socket (`parity/luxi.json`).

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client-async")]
mod client_async;
mod message;
mod origin;

#[cfg(feature = "client")]
pub use client::Client;
#[cfg(feature = "client-async")]
pub use client_async::AsyncClient;
pub use message::{Error, JobChange, Method, Request, decode_response, encode_failure, encode_request, encode_success, take_message};
pub use origin::{Origin, take_origin};

/// Ends every message.
pub const END_OF_MESSAGE: u8 = 3;

/// The largest message that is read, in bytes: a bulk query of 100,000 instances stays below it.
pub const MAX_MESSAGE: usize = 512 << 20;

/// How long a client tries to connect, in seconds.
pub const CONNECT_TIMEOUT_S: u64 = 30;

/// How long a client waits for an answer, in seconds.
pub const ANSWER_TIMEOUT_S: u64 = 180;

/// The longest wait of one `WaitForJobChange`, in seconds.
pub const WAIT_FOR_JOB_CHANGE_MAX_S: u64 = 89;

//! Reading a program's output without letting it fill the memory or block the program.

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

/// Output up to a limit.
pub(super) struct Capture {
    pub(super) bytes: Vec<u8>,
    pub(super) truncated: bool,
    limit: usize,
}

impl Capture {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), truncated: false, limit }
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.bytes.len());
        self.truncated |= bytes.len() > room;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Reads to the end; what exceeds the limit is read and dropped.
pub(super) async fn pump(from: Option<pipe::Receiver>, into: &mut Capture) {
    let Some(mut from) = from else { return };
    let mut buffer = vec![0_u8; 16 << 10];
    // A read error is the end of the output: the exit status tells whether the program was content.
    while let Ok(count) = from.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        into.add(&buffer[..count]);
    }
}

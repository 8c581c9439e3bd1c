//! Bytes between the terminal and the console's socket.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{self, SetArg, Termios};

/// Ctrl-], as in telnet.
const ESCAPE: u8 = 0x1d;

/// Relays until the console ends or the operator leaves it.
pub(super) fn run(socket: &Path) -> io::Result<()> {
    let mut console = UnixStream::connect(socket)?;
    let stdin = io::stdin();
    let _raw = Raw::enter(stdin.as_fd());
    let mut output = io::stdout();
    let mut typing = true;
    let mut buffer = [0; 4096];
    loop {
        let (typed, sent) = ready(stdin.as_fd(), console.as_fd(), typing)?;
        if sent {
            match console.read(&mut buffer)? {
                0 => return Ok(()),
                count => {
                    output.write_all(&buffer[..count])?;
                    output.flush()?;
                }
            }
        }
        if typed {
            // Not through `Stdin`, whose buffer would hide bytes from poll.
            let count = nix::unistd::read(stdin.as_fd(), &mut buffer)?;
            let bytes = &buffer[..count];
            typing = count > 0;
            match bytes.iter().position(|&byte| byte == ESCAPE) {
                Some(end) => return console.write_all(&bytes[..end]),
                None => console.write_all(bytes)?,
            }
        }
    }
}

/// Waits; tells whether something was typed, and whether the console sent something.
fn ready(typed: BorrowedFd<'_>, sent: BorrowedFd<'_>, typing: bool) -> io::Result<(bool, bool)> {
    let mut both = [PollFd::new(sent, PollFlags::POLLIN), PollFd::new(typed, PollFlags::POLLIN)];
    let watched = if typing { &mut both[..] } else { &mut both[..1] };
    loop {
        match poll(watched, PollTimeout::NONE) {
            Ok(_) => break,
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let is_ready = |at: usize| watched.get(at).and_then(PollFd::revents).is_some_and(|events| !events.is_empty());
    Ok((is_ready(1), is_ready(0)))
}

/// The terminal hands over every key as it is, until this is dropped.
struct Raw<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
}

impl<'a> Raw<'a> {
    /// Nothing to do when it is no terminal.
    fn enter(terminal: BorrowedFd<'a>) -> Option<Self> {
        let before = termios::tcgetattr(terminal).ok()?;
        let mut raw = before.clone();
        termios::cfmakeraw(&mut raw);
        termios::tcsetattr(terminal, SetArg::TCSANOW, &raw).ok()?;
        Some(Self { terminal, before })
    }
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        // If this fails the terminal is gone.
        let _ = termios::tcsetattr(self.terminal, SetArg::TCSANOW, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    /// Without a terminal, and with nothing typed, the console's output comes until it ends.
    #[test]
    fn ends_with_the_console() {
        let dir = std::env::temp_dir().join(format!("gannet-relay-{}", std::process::id()));
        let _ = std::fs::remove_file(&dir);
        let listener = UnixListener::bind(&dir).unwrap();
        let server = std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"hello\n"));
        run(&dir).unwrap();
        server.join().unwrap().unwrap();
        std::fs::remove_file(&dir).unwrap();
    }
}

//! A guest's serial console as a byte stream through libvirtd.

use std::ffi::{c_char, c_int, c_void};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use virt::connect::Connect;
use virt::error::Error as VirtError;
use virt::stream::Stream;
use virt_sys as sys;

use crate::worker::{lock, open};
use crate::{Domain, Error};

/// libvirt's answer of a non-blocking stream that would have to wait.
const WOULD_BLOCK: c_int = -2;
/// Bytes sent per call: libvirt's packets carry 256 KiB at most, and a console needs little.
const CHUNK: usize = 16 * 1024;
const READABLE: u32 = sys::VIR_STREAM_EVENT_READABLE;
const WRITABLE: u32 = sys::VIR_STREAM_EVENT_WRITABLE;

/// An open console, with a connection of its own. Only one can be open per guest; a newer one takes it over.
/// Dropping it closes it.
pub struct Console {
    stream: Option<Stream>,
    waiting: Arc<Mutex<Waiting>>,
    conn: Option<Connect>,
}

/// Who waits for what, shared with libvirt's event thread.
#[derive(Default)]
struct Waiting {
    read: Option<Waker>,
    write: Option<Waker>,
    hung_up: bool,
}

impl Waiting {
    /// The events that are to be told.
    fn wanted(&self) -> u32 {
        if self.hung_up {
            return 0;
        }
        let mut events = sys::VIR_STREAM_EVENT_ERROR | sys::VIR_STREAM_EVENT_HANGUP;
        if self.read.is_some() {
            events |= READABLE;
        }
        if self.write.is_some() {
            events |= WRITABLE;
        }
        events
    }
}

impl Domain {
    /// Opens the serial console through libvirtd. Works from another machine too, as far as the URI does.
    pub async fn open_console(&self) -> Result<Console, Error> {
        let uri = self.connection().options().uri.clone();
        let domain = self.clone();
        domain
            .change("openConsole", move |call| {
                let conn = open(&uri)?;
                let target = call.check(conn.lookup_domain_by_name(call.domain))?;
                let stream = call.check(Stream::new(&conn, sys::VIR_STREAM_NONBLOCK))?;
                call.check(target.open_console(None, &stream, sys::VIR_DOMAIN_CONSOLE_FORCE))?;
                call.check(Console::watch(conn, stream))
            })
            .await
    }
}

impl Console {
    fn watch(conn: Connect, stream: Stream) -> Result<Console, VirtError> {
        let waiting: Arc<Mutex<Waiting>> = Arc::default();
        let context = Arc::into_raw(waiting.clone()).cast_mut().cast::<c_void>();
        let events = lock(&waiting).wanted();
        // SAFETY: the stream is valid; the context is one reference count, which `free` gives back.
        let added = unsafe { sys::virStreamEventAddCallback(stream.as_ptr(), as_int(events), Some(on_event), context, Some(free)) };
        if added < 0 {
            let error = VirtError::last_error();
            // SAFETY: a failed registration does not take the context over.
            unsafe { free(context) };
            return Err(error);
        }
        Ok(Console { stream: Some(stream), waiting, conn: Some(conn) })
    }

    /// Registers a waker and asks for the events that are now waited for.
    fn wait(stream: &Stream, waiting: &mut Waiting) -> io::Result<()> {
        stream.event_update_callback(waiting.wanted()).map_err(failed)
    }
}

/// Event masks are small positive numbers in libvirt's interface, whatever their C type.
fn as_int(events: u32) -> c_int {
    events as c_int
}

fn failed(error: VirtError) -> io::Error {
    io::Error::other(error.message().to_owned())
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the console is closed")
}

unsafe extern "C" fn on_event(stream: sys::virStreamPtr, events: c_int, context: *mut c_void) {
    // SAFETY: made by `Arc::into_raw` in `watch`; libvirt frees it only after the last callback.
    let waiting = unsafe { &*context.cast::<Mutex<Waiting>>() };
    let events = events.unsigned_abs();
    let mut waiting = lock(waiting);
    let ended = events & (sys::VIR_STREAM_EVENT_ERROR | sys::VIR_STREAM_EVENT_HANGUP) != 0;
    waiting.hung_up |= ended;
    let read = if ended || events & READABLE != 0 { waiting.read.take() } else { None };
    let write = if ended || events & WRITABLE != 0 { waiting.write.take() } else { None };
    // SAFETY: the stream is the one this callback is called for; libvirt does not hold its lock here.
    unsafe { sys::virStreamEventUpdateCallback(stream, as_int(waiting.wanted())) };
    drop(waiting);
    for waker in [read, write].into_iter().flatten() {
        waker.wake();
    }
}

unsafe extern "C" fn free(context: *mut c_void) {
    // SAFETY: made by `Arc::into_raw` in `watch`, freed once.
    drop(unsafe { Arc::from_raw(context.cast_const().cast::<Mutex<Waiting>>()) });
}

impl AsyncRead for Console {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(stream) = &self.stream else { return Poll::Ready(Ok(())) };
        let space = buf.initialize_unfilled();
        if space.is_empty() {
            return Poll::Ready(Ok(()));
        }
        // held from before the read until the event is asked for: the callback cannot come in between
        let mut waiting = lock(&self.waiting);
        // SAFETY: the stream is valid; pointer and length describe initialised memory.
        let got = unsafe { sys::virStreamRecv(stream.as_ptr(), space.as_mut_ptr().cast::<c_char>(), space.len()) };
        if got == WOULD_BLOCK {
            if waiting.hung_up {
                return Poll::Ready(Ok(()));
            }
            waiting.read = Some(cx.waker().clone());
            return match Console::wait(stream, &mut waiting) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            };
        }
        if got < 0 {
            let error = VirtError::last_error();
            // the guest ended: an end of file, as on a terminal
            return Poll::Ready(if waiting.hung_up { Ok(()) } else { Err(failed(error)) });
        }
        drop(waiting);
        buf.advance(got.unsigned_abs() as usize);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Console {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let Some(stream) = &self.stream else { return Poll::Ready(Err(closed())) };
        let data = data.get(..CHUNK).unwrap_or(data);
        let mut waiting = lock(&self.waiting);
        if waiting.hung_up {
            return Poll::Ready(Err(closed()));
        }
        // SAFETY: the stream is valid; pointer and length describe readable memory.
        let sent = unsafe { sys::virStreamSend(stream.as_ptr(), data.as_ptr().cast::<c_char>(), data.len()) };
        if sent == WOULD_BLOCK {
            waiting.write = Some(cx.waker().clone());
            return match Console::wait(stream, &mut waiting) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            };
        }
        if sent < 0 {
            return Poll::Ready(Err(failed(VirtError::last_error())));
        }
        Poll::Ready(Ok(sent.unsigned_abs() as usize))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(())) // libvirt has no buffer of its own to flush
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let (Some(stream), conn) = (self.stream.take(), self.conn.take()) else { return };
        // aborting waits for the daemon, which a dropped value on an async thread must not do
        let close = move || {
            if let Err(error) = stream.event_remove_callback() {
                tracing::debug!(%error, "console callback");
            }
            if let Err(error) = stream.abort() {
                tracing::debug!(%error, "console already closed");
            }
            drop(conn);
        };
        if let Err(error) = std::thread::Builder::new().name("virt-console".to_owned()).spawn(close) {
            tracing::warn!(%error, "no thread to close a console; it was closed in place");
        }
    }
}

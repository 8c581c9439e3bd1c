//! Connections between machines: TCP, or those of a simulated network ([`crate::world`]).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{self, Stream as Items};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::world::{self, Incoming};

/// Both directions of a connection.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection to another machine.
pub struct Stream {
    inner: Inner,
    peer: Option<SocketAddr>,
}

enum Inner {
    Tcp(TcpStream),
    World(Box<dyn Duplex>),
}

impl Stream {
    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }
}

/// Opens a connection that sends small messages at once.
///
/// # Errors
/// Nobody listens there, or it cannot be reached.
pub async fn connect(to: SocketAddr) -> io::Result<Stream> {
    if let Some(world) = world::get() {
        return Ok(Stream { inner: Inner::World(world.connect(to).await?), peer: Some(to) });
    }
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(Stream { inner: Inner::Tcp(stream), peer: Some(to) })
}

/// An address on which connections are accepted.
pub struct Listener {
    inner: ListenerInner,
}

enum ListenerInner {
    Tcp(TcpListener),
    World(Mutex<Incoming>),
}

/// Takes an address.
///
/// # Errors
/// It is in use, or not this machine's.
pub async fn listen(at: SocketAddr) -> io::Result<Listener> {
    let inner = match world::get() {
        Some(world) => ListenerInner::World(Mutex::new(world.listen(at)?)),
        None => ListenerInner::Tcp(TcpListener::bind(at).await?),
    };
    Ok(Listener { inner })
}

impl Listener {
    /// The next connection, and from where it comes.
    ///
    /// # Errors
    /// Out of file descriptors, most likely.
    pub async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        match &self.inner {
            ListenerInner::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                // Slower only.
                let _ = stream.set_nodelay(true);
                Ok((Stream { inner: Inner::Tcp(stream), peer: Some(from) }, from))
            }
            ListenerInner::World(incoming) => match incoming.lock().await.recv().await {
                Some((stream, from)) => Ok((Stream { inner: Inner::World(stream), peer: Some(from) }, from)),
                None => std::future::pending().await,
            },
        }
    }

    /// The address it has.
    ///
    /// # Errors
    /// The system does not say, or there is none in a simulated network.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.inner {
            ListenerInner::Tcp(listener) => listener.local_addr(),
            ListenerInner::World(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// All connections, one after the other.
    pub fn incoming(self) -> impl Items<Item = io::Result<Stream>> + Send + 'static {
        stream::unfold(self, |listener| async move {
            let accepted = listener.accept().await;
            Some((accepted.map(|(stream, _)| stream), listener))
        })
    }
}

impl Connected for Stream {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        match &self.inner {
            Inner::Tcp(stream) => stream.connect_info(),
            Inner::World(_) => TcpConnectInfo { local_addr: None, remote_addr: self.peer },
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Inner::World(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.inner {
            Inner::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Inner::World(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match &mut self.inner {
            Inner::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Inner::World(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.inner {
            Inner::Tcp(stream) => stream.is_write_vectored(),
            Inner::World(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Inner::World(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Inner::World(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn bytes_go_both_ways() {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (mine, theirs) = tokio::join!(connect(address), listener.accept());
        let (mut mine, (mut theirs, from)) = (mine.expect("connected"), theirs.expect("accepted"));
        assert_eq!((mine.peer(), theirs.peer()), (Some(address), Some(from)));
        mine.write_all(b"there").await.expect("written");
        theirs.write_all(b"back").await.expect("written");
        let (mut there, mut back) = ([0; 5], [0; 4]);
        theirs.read_exact(&mut there).await.expect("read");
        mine.read_exact(&mut back).await.expect("read");
        assert_eq!((&there, &back), (b"there", b"back"));
    }
}

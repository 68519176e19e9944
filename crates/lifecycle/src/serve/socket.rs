//! The socket of a connection, as hyper reads and writes it.

use std::{
    io::{self, IoSlice},
    net::Shutdown,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::{connection::Connection, core::Core};

/// The socket of a connection. It notes what passes, and its end is the connection's end, whoever
/// owns it then: after an upgrade it is the upgraded stream.
#[derive(Debug)]
pub(super) struct Socket {
    core: Arc<Core>,
    connection: Arc<Connection>,
    is_untouched: bool,
}

// === impl Socket ===

impl Socket {
    pub(super) fn new(core: Arc<Core>, connection: Arc<Connection>) -> Self {
        Self {
            core,
            connection,
            is_untouched: true,
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let begin = buf.filled().len();
        loop {
            ready!(this.connection.tcp.poll_read_ready(cx))?;
            match this.connection.tcp.try_read_buf(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(0) => return Poll::Ready(Ok(())),
                Ok(_) => break,
            }
        }
        let bytes = &buf.filled()[begin..];
        let first = std::mem::take(&mut this.is_untouched);
        this.connection.manners().read(bytes, first, Instant::now());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |this| this.connection.tcp.try_write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |this| this.connection.tcp.try_write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// hyper flushes once it has written all it had.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let complete = self.connection.manners().flushed(Instant::now());
        self.core.tally.finished(complete);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = SockRef::from(&self.connection.tcp).shutdown(Shutdown::Write);
        Poll::Ready(match done {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        })
    }
}

impl Socket {
    fn write(
        &self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&Self) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.connection.tcp.poll_write_ready(cx))?;
            match attempt(self) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let abandoned = self.connection.manners().close();
        self.core.tally.abandoned(abandoned);
        self.core.connections.remove(self.connection.number);
    }
}

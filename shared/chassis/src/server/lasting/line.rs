//! The socket of a connection.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A socket for one who reads and one who writes, in one task; clones share it.
#[derive(Debug, Clone)]
pub(in crate::server) struct Line(Rc<RefCell<TcpStream>>);

impl Line {
    pub(in crate::server) fn new(socket: TcpStream) -> Self {
        Self(Rc::new(RefCell::new(socket)))
    }

    /// What comes next, `MOST` bytes at once; nothing at the end. Waiting for it takes no room.
    pub(super) async fn read_some<const MOST: usize>(&self) -> io::Result<Bytes> {
        poll_fn(|context| {
            let mut room = [0; MOST];
            let mut room = ReadBuf::new(&mut room);
            let read = self.with(|socket| socket.poll_read(context, &mut room));
            read.map_ok(|()| Bytes::copy_from_slice(room.filled()))
        })
        .await
    }

    /// Nothing more is written.
    pub(super) async fn finish(&self) -> io::Result<()> {
        poll_fn(|context| self.with(|socket| socket.poll_shutdown(context))).await
    }

    /// The socket calls nobody back: it is never held twice.
    pub(super) fn with<T>(&self, work: impl FnOnce(Pin<&mut TcpStream>) -> T) -> T {
        work(Pin::new(&mut *self.0.borrow_mut()))
    }
}

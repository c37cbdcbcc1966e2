//! HTTP/1.1 by hand over one TCP connection, and a server of such connections.
//!
//! A peer that must reset, stall or lie on the wire needs the socket itself, which an HTTP library
//! rightly hides. Only what tests send and receive is understood: no trailers, no upgrades.

use std::io;
use std::net::Ipv4Addr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::background::{Background, single_threaded};

/// A request or a response as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The first line: `GET / HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub(crate) start_line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Message {
    /// The message as it is sent on, its body in one piece.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.start_line).into_bytes();
        let framing = [header::TRANSFER_ENCODING, header::CONTENT_LENGTH];
        for (name, value) in self
            .headers
            .iter()
            .filter(|(name, _)| !framing.contains(name))
        {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        let length = format!("content-length: {}\r\n\r\n", self.body.len());
        bytes.extend(length.as_bytes());
        bytes.extend(&self.body);
        bytes
    }
}

/// Where a body ends when no header says so.
#[derive(Clone, Copy)]
enum Unframed {
    Empty,
    UntilClose,
}

/// One TCP connection that carries HTTP/1.1 messages.
#[derive(Debug)]
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        // What is written in two pieces arrives as it was written, not 40 ms later.
        stream.set_nodelay(true).expect("a TCP stream");
        Self(BufReader::new(stream))
    }

    /// The next request; `None` when the other side has closed between requests.
    pub(crate) async fn read_request(&mut self) -> io::Result<Option<Message>> {
        self.read_message(Unframed::Empty).await
    }

    /// The next response; `None` when the other side closes instead of answering.
    pub(crate) async fn read_response(&mut self) -> io::Result<Option<Message>> {
        self.read_message(Unframed::UntilClose).await
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes).await
    }

    /// Resolves when the other side goes away while it should be waiting.
    pub(crate) async fn abandoned(&mut self) {
        if let Ok([_, ..]) = self.0.fill_buf().await {
            // It has pipelined its next request: it is still there.
            std::future::pending::<()>().await;
        }
    }

    /// The socket itself, for what is not HTTP.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.0.into_inner()
    }

    /// Ends the connection with RST instead of FIN.
    pub(crate) fn reset(self) -> io::Result<()> {
        self.0.into_inner().set_zero_linger()
    }

    async fn read_message(&mut self, unframed: Unframed) -> io::Result<Option<Message>> {
        if self.0.fill_buf().await?.is_empty() {
            return Ok(None);
        }
        let start_line = self.read_line().await?;
        let headers = self.read_headers().await?;
        let body = self.read_body(&headers, unframed).await?;
        Ok(Some(Message {
            start_line,
            headers,
            body,
        }))
    }

    async fn read_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).await?;
        match line.strip_suffix('\n') {
            Some(line) => Ok(line.trim_end_matches('\r').to_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    async fn read_headers(&mut self) -> io::Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        loop {
            let line = self.read_line().await?;
            if line.is_empty() {
                return Ok(headers);
            }
            let (name, value) = line.split_once(':').ok_or_else(|| not_http(&line))?;
            let name: HeaderName = name.parse().map_err(|_| not_http(&line))?;
            let value: HeaderValue = value.trim().parse().map_err(|_| not_http(&line))?;
            headers.append(name, value);
        }
    }

    async fn read_body(&mut self, headers: &HeaderMap, unframed: Unframed) -> io::Result<Bytes> {
        let mut body = Vec::new();
        if let Some(length) = headers.get(header::CONTENT_LENGTH) {
            let length = length.to_str().ok().and_then(|text| text.parse().ok());
            body.resize(length.ok_or_else(|| not_http("Content-Length"))?, 0);
            self.0.read_exact(&mut body).await?;
        } else if headers.contains_key(header::TRANSFER_ENCODING) {
            while self.read_chunk(&mut body).await? {}
        } else if let Unframed::UntilClose = unframed {
            self.0.read_to_end(&mut body).await?;
        }
        Ok(body.into())
    }

    /// Appends one chunk; `false` after the last.
    async fn read_chunk(&mut self, body: &mut Vec<u8>) -> io::Result<bool> {
        let line = self.read_line().await?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| not_http(&line))?;
        let start = body.len();
        body.resize(start + size, 0);
        self.0.read_exact(&mut body[start..]).await?;
        self.read_line().await?;
        Ok(size > 0)
    }
}

fn not_http(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not HTTP: {what:?}"))
}

/// A loopback listener on a background thread; every connection gets a task, all end with it.
#[derive(Debug)]
pub(crate) struct SocketServer {
    port: u16,
    _background: Background,
}

impl SocketServer {
    /// Listens on a free port.
    pub(crate) fn start<F>(
        name: &'static str,
        serve: impl Fn(Connection) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .expect("the loopback interface has a free port");
        listener
            .set_nonblocking(true)
            .expect("a listener can be non-blocking");
        let port = listener.local_addr().expect("a bound port").port();
        Self::start_on(name, port, move || TcpListener::from_std(listener), serve)
    }

    /// Listens on what `open`, run inside the server's runtime, returns.
    pub(crate) fn start_on<F>(
        name: &'static str,
        port: u16,
        open: impl FnOnce() -> io::Result<TcpListener> + Send + 'static,
        serve: impl Fn(Connection) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (opened, is_open) = std::sync::mpsc::channel();
        let background = Background::start(name, move |stop| {
            single_threaded().block_on(async {
                let listener = open().expect("a bound port can be listened on");
                opened.send(()).expect("the starter waits");
                stop.run_until_cancelled(accept(listener, serve)).await;
            });
        });
        is_open.recv().expect("the port is open");
        Self {
            port,
            _background: background,
        }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Serves connections until dropped; a panic in one of them ends the server with it.
async fn accept<F>(listener: TcpListener, serve: impl Fn(Connection) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(ended) = connections.join_next() => {
                if let Err(panic) = ended {
                    std::panic::resume_unwind(panic.into_panic());
                }
            }
            accepted = listener.accept() => {
                let (stream, _) = accepted.expect("the listener stays open");
                connections.spawn(serve(Connection::new(stream)));
            }
        }
    }
}

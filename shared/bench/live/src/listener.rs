//! Thousands of clients in one process: bare sockets, so that they cost little beside the server.
//!
//! It reads a [`Plan`] from the first line of standard input and says `open` when all of it is. Each
//! line from then on is a number: when so many messages have been heard it says a [`Report`].

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::{LocalSet, spawn_local};

use crate::report::Report;
use crate::token;
use crate::wire::{EVENT_END, Kind, Whole, frame, now_us, sent_us};

/// Handshakes under way at once.
const AT_ONCE: usize = 50;
/// Nobody listens longer to nothing.
const PATIENCE: Duration = Duration::from_mins(1);

/// Who listens to what.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    /// Of this machine, where the clients are.
    pub(crate) address: Ipv4Addr,
    /// Whose streams, one each.
    pub(crate) people: Vec<i64>,
}

#[derive(Default)]
struct Tally {
    report: RefCell<Report>,
    news: Notify,
}

/// The process of its own.
pub(crate) fn run() -> Result<()> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let plan: Plan = serde_json::from_str(&line)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (tell, told) = mpsc::unbounded_channel();
    LocalSet::new().block_on(&runtime, async {
        let tally = Rc::new(Tally::default());
        open_all(&plan, &tally).await?;
        say("open")?;
        // Ends with standard input, or when nobody reads what it tells.
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        answer(told, &tally).await
    })
}

async fn open_all(plan: &Plan, tally: &Rc<Tally>) -> Result<()> {
    let opened = plan.people.iter().map(|person| open(plan, *person));
    let mut opened = stream::iter(opened).buffer_unordered(AT_ONCE);
    while let Some(stream) = opened.next().await {
        let (stream, kind, tally) = (stream?, plan.kind, tally.clone());
        spawn_local(async move {
            let fault = match listen(stream, kind, &tally).await {
                Ok(()) => "the server has hung up".to_owned(),
                Err(error) => format!("{error:#}"),
            };
            tally.report.borrow_mut().fault.get_or_insert(fault);
            tally.news.notify_one();
        });
    }
    Ok(())
}

async fn answer(mut told: mpsc::UnboundedReceiver<String>, tally: &Tally) -> Result<()> {
    while let Some(line) = told.recv().await {
        let wanted: u64 = line.parse()?;
        let all = async {
            while {
                let report = tally.report.borrow();
                report.heard < wanted && report.fault.is_none()
            } {
                tally.news.notified().await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, all).await;
        let mut report = tally.report.take();
        if in_time.is_err() {
            report.fault = Some(format!("{} of {wanted} heard", report.heard));
        }
        say(&serde_json::to_string(&report)?)?;
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

async fn open(plan: &Plan, person: i64) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((IpAddr::V4(plan.address), 0).into())?;
    let server = (Ipv4Addr::LOCALHOST, plan.port);
    let mut stream = socket.connect(server.into()).await?;
    stream.set_nodelay(true)?;
    let (path, upgrade) = match plan.kind {
        Kind::Sse => ("/sse/notifications", ""),
        Kind::Socket | Kind::Bare => (
            "/ws/notifications",
            "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        ),
    };
    let token = token::of(person)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nauthorization: Bearer {token}\r\n{upgrade}\r\n",
        plan.port
    );
    stream.write_all(request.as_bytes()).await?;
    match plan.kind {
        Kind::Bare => until(&mut stream, b"\r\n\r\n").await?,
        Kind::Socket => {
            until(&mut stream, b"\r\n\r\n").await?;
            let hello = frame(0x81, br#"{"type":"hello"}"#)?;
            stream.write_all(&hello).await?;
            until(&mut stream, b"}").await?;
        }
        Kind::Sse => until(&mut stream, EVENT_END).await?,
    }
    Ok(stream)
}

/// Reads what comes first: nothing follows it before somebody is told something.
async fn until(stream: &mut TcpStream, end: &[u8]) -> Result<()> {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        let more = stream.read_buf(&mut read).await?;
        let text = String::from_utf8_lossy(&read);
        ensure!(more > 0 && read.len() < 8_192, "the server said {text}");
        let refused = read.starts_with(b"HTTP") && !matches!(&read[9..], [b'1' | b'2', ..]);
        ensure!(!refused, "the server said {text}");
    }
    Ok(())
}

async fn listen(mut stream: TcpStream, kind: Kind, tally: &Tally) -> Result<()> {
    let mut unread = Vec::new();
    while poll_fn(|context| take(&mut stream, context, kind, &mut unread, tally)).await? {}
    Ok(())
}

/// Hears what is there, and answers pings; whether there can be more. An idle client keeps no
/// buffer.
fn take(
    stream: &mut TcpStream,
    context: &mut Context<'_>,
    kind: Kind,
    unread: &mut Vec<u8>,
    tally: &Tally,
) -> Poll<Result<bool>> {
    let mut chunk = [0; 4 * 1024];
    let mut buffer = ReadBuf::new(&mut chunk);
    ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
    let read = buffer.filled();
    let heard = hear(stream, kind, unread, read, tally);
    Poll::Ready(heard.map(|()| !read.is_empty()))
}

fn hear(
    stream: &TcpStream,
    kind: Kind,
    unread: &mut Vec<u8>,
    read: &[u8],
    tally: &Tally,
) -> Result<()> {
    let now_us = now_us()?;
    let hear = |whole: Whole<'_>| {
        match whole {
            Whole::Message(text) => {
                let Some(sent_us) = sent_us(text) else {
                    bail!("the server said {}", String::from_utf8_lossy(text));
                };
                let mut report = tally.report.borrow_mut();
                report.hear(text.len(), now_us.saturating_sub(sent_us));
                tally.news.notify_one();
            }
            Whole::Ping(data) => {
                // A few bytes: there is always room.
                stream.try_write(&frame(0x8a, data)?)?;
            }
        }
        Ok(())
    };
    if unread.is_empty() {
        let taken = kind.read(read, hear)?;
        unread.extend_from_slice(&read[taken..]);
    } else {
        unread.extend_from_slice(read);
        let taken = kind.read(unread, hear)?;
        unread.drain(..taken);
    }
    if unread.is_empty() {
        *unread = Vec::new();
    }
    Ok(())
}

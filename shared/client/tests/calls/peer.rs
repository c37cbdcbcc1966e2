//! A peer on a real socket that does as it is told: one act per request, the last one for ever.
//!
//! Plain threads and blocking sockets, so that it shares nothing with the client under test.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// What to do with one request.
#[derive(Clone)]
pub(crate) enum Act {
    /// Answer properly and keep the connection.
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Send these bytes, whatever they are, and close.
    Bytes(Vec<u8>),
    /// Close without a word.
    Close,
    /// Close with the body of the request unread, which resets the connection. Needs a body that
    /// does not come along with the head.
    Reset,
    /// Answer properly, then close without having said so.
    AnswerAndClose { status: u16, body: String },
    /// Send a head with this status and a body without an end.
    Endless(u16),
    /// Send these bytes, then nothing more until the test is over.
    Stall(&'static str),
}

impl Act {
    /// Say nothing at all.
    pub(crate) const HANG: Self = Self::Stall("");

    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self::Answer {
            status,
            headers,
            body: body.to_string(),
        }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.retain(|(known, _)| *known != name);
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// One request as it arrived.
#[derive(Clone)]
pub(crate) struct Request {
    /// Which connection it came on, from 0.
    pub(crate) connection: usize,
    pub(crate) line: String,
    headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Request {
    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

pub(crate) struct Peer {
    address: SocketAddr,
    stage: Arc<Stage>,
}

#[derive(Default)]
struct Stage {
    script: Mutex<Vec<Act>>,
    requests: Mutex<Vec<Request>>,
    over: Mutex<bool>,
    curtain: Condvar,
}

impl Peer {
    pub(crate) fn new(script: impl IntoIterator<Item = Act>) -> Self {
        let mut script: Vec<_> = script.into_iter().collect();
        script.reverse();
        let stage = Arc::new(Stage {
            script: Mutex::new(script),
            ..Stage::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let behind = Arc::clone(&stage);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                if *behind.over.lock().unwrap() {
                    return;
                }
                let behind = Arc::clone(&behind);
                thread::spawn(move || behind.play(connection, stream));
            }
        });
        Self { address, stage }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.stage.requests.lock().unwrap().clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        *self.stage.over.lock().unwrap() = true;
        self.stage.curtain.notify_all();
        // Wakes the listener, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

impl Stage {
    fn play(&self, connection: usize, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(mut request) = head(connection, &mut reader) {
            let act = self.next_act();
            if let Act::Reset = act {
                self.requests.lock().unwrap().push(request);
                return;
            }
            let Some(body) = body(&request, &mut reader) else {
                return;
            };
            request.body = body;
            self.requests.lock().unwrap().push(request);
            match act {
                Act::Answer {
                    status,
                    headers,
                    body,
                } => {
                    let mut answer = Vec::new();
                    write!(
                        answer,
                        "HTTP/1.1 {status} x\r\ncontent-length: {}\r\n",
                        body.len()
                    )
                    .unwrap();
                    for (name, value) in headers {
                        write!(answer, "{name}: {value}\r\n").unwrap();
                    }
                    write!(answer, "\r\n{body}").unwrap();
                    if stream.write_all(&answer).is_err() {
                        return;
                    }
                }
                Act::Bytes(bytes) => {
                    stream.write_all(&bytes).ok();
                    return;
                }
                Act::AnswerAndClose { status, body } => {
                    let length = body.len();
                    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n\r\n");
                    stream.write_all((head + &body).as_bytes()).ok();
                    return;
                }
                Act::Endless(status) => {
                    let head = format!("HTTP/1.1 {status} x\r\ntransfer-encoding: chunked\r\n\r\n");
                    let mut written = stream.write_all(head.as_bytes());
                    while written.is_ok() {
                        written = stream.write_all(b"4\r\nmore\r\n");
                    }
                    return;
                }
                Act::Close | Act::Reset => return,
                Act::Stall(bytes) => {
                    stream.write_all(bytes.as_bytes()).ok();
                    let over = self.over.lock().unwrap();
                    drop(self.curtain.wait_while(over, |over| !*over));
                    return;
                }
            }
        }
    }

    fn next_act(&self) -> Act {
        let mut script = self.script.lock().unwrap();
        match script.as_slice() {
            [last] => last.clone(),
            _ => script.pop().unwrap(),
        }
    }
}

fn head(connection: usize, reader: &mut impl BufRead) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let headers: HashMap<_, _> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let line = lines.swap_remove(0);
    Some(Request {
        connection,
        line,
        headers,
        body: String::new(),
    })
}

fn body(request: &Request, reader: &mut impl BufRead) -> Option<String> {
    let length = match request.header("content-length") {
        "" => 0,
        length => length.parse().unwrap(),
    };
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(String::from_utf8(body).unwrap())
}

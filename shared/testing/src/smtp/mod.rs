//! A mail server on a real socket that accepts, refuses, delays and hangs up as the test says.
//!
//! ```
//! # use lyceum_testing::smtp::{Manners, MailServer};
//! let server = MailServer::start(|mail| match mail.number {
//!     1 => Manners::Refuse(451),
//!     _ => Manners::Accept,
//! });
//! let port = server.port();
//! ```
//!
//! As much of RFC 5321 as a client needs that sends one letter at a time. It lives on a thread of
//! its own and ends with the test.

mod taken;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;

pub use taken::Taken;

use crate::journal::Journal;
use crate::socket::SocketServer;

/// What the server does with one letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manners {
    /// 250.
    Accept,
    /// This code to `RCPT TO`, before the letter is sent: the recipient is refused.
    Refuse(u16),
    /// This code to the letter itself.
    RefuseLetter(u16),
    /// Hangs up instead of answering `RCPT TO`.
    HangUp,
    /// Hears the letter to its end, and hangs up without taking it or a word.
    HangUpOnLetter,
    /// Takes the letter for good, and hangs up instead of saying so.
    AcceptAndHangUp,
    /// 250, and hangs up once it has said so.
    AcceptAndLeave,
    /// Takes the letter for good, and says so only after this time.
    Delay(Duration),
}

/// A letter as the server is asked to take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which one it is, from 1, counted at `MAIL FROM` over all connections.
    pub number: usize,
    /// `RCPT TO`, without the angle brackets.
    pub recipient: String,
}

type Etiquette = dyn Fn(&Attempt) -> Manners + Send + Sync;

/// A running mail server.
#[derive(Debug)]
pub struct MailServer {
    taken: Journal<Taken>,
    scene: Arc<Scene>,
    server: SocketServer,
}

struct Scene {
    etiquette: Box<Etiquette>,
    attempts: watch::Sender<usize>,
    open: AtomicUsize,
    most: AtomicUsize,
}

impl std::fmt::Debug for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scene").finish_non_exhaustive()
    }
}

impl MailServer {
    /// Listens on a free port of the loopback interface; `etiquette` is asked at `RCPT TO`.
    pub fn start(etiquette: impl Fn(&Attempt) -> Manners + Send + Sync + 'static) -> Self {
        let taken = Journal::default();
        let scene = Arc::new(Scene {
            etiquette: Box::new(etiquette),
            attempts: watch::Sender::new(0),
            open: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let (kept, set) = (taken.clone(), Arc::clone(&scene));
        let server = SocketServer::start("mail server", move |connection| {
            let (kept, set) = (kept.clone(), Arc::clone(&set));
            async move {
                // However a client goes away: it is the client that is under test.
                serve(connection.into_stream(), &set, &kept).await.ok();
            }
        });
        Self {
            taken,
            scene,
            server,
        }
    }

    /// Where it listens, on `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Every letter it has taken so far, in the order of arrival.
    pub fn taken(&self) -> Vec<Taken> {
        self.taken.entries()
    }

    /// How many letters it was asked to take.
    pub fn attempts(&self) -> usize {
        *self.scene.attempts.borrow()
    }

    /// Waits until it was asked to take `count` letters in all.
    ///
    /// # Panics
    /// When `deadline` passes first.
    pub async fn wait_for_attempts(&self, count: usize, deadline: Duration) {
        let mut attempts = self.scene.attempts.subscribe();
        let asked = attempts.wait_for(|attempts| *attempts >= count);
        let asked = tokio::time::timeout(deadline, asked).await.is_ok();
        assert!(asked, "asked for {count} letters within {deadline:?}");
    }

    /// The most letters that were on their way to it at once.
    pub fn most_at_once(&self) -> usize {
        self.scene.most.load(Ordering::SeqCst)
    }

    /// Waits until it has taken `count` letters in all, and returns them.
    ///
    /// # Panics
    /// When `deadline` passes first.
    pub async fn wait_for(&self, count: usize, deadline: Duration) -> Vec<Taken> {
        self.taken.at_least("letters taken", count, deadline).await
    }
}

/// One more letter on its way, until it is dropped.
struct OnItsWay<'a>(&'a Scene);

impl<'a> OnItsWay<'a> {
    fn begin(scene: &'a Scene) -> Self {
        let open = scene.open.fetch_add(1, Ordering::SeqCst) + 1;
        scene.most.fetch_max(open, Ordering::SeqCst);
        Self(scene)
    }
}

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve(stream: TcpStream, scene: &Scene, taken: &Journal<Taken>) -> io::Result<()> {
    let mut client = BufReader::new(stream);
    say(&mut client, "220 mail.test ready").await?;
    let mut current: Option<(Attempt, Manners, OnItsWay<'_>)> = None;
    while let Some(line) = hear(&mut client).await? {
        let (verb, rest) = line.split_at(line.len().min(4));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => say(&mut client, "250-mail.test\r\n250 8BITMIME").await?,
            "MAIL" => {
                let mut number = 0;
                scene.attempts.send_modify(|attempts| {
                    *attempts += 1;
                    number = *attempts;
                });
                let attempt = Attempt {
                    number,
                    recipient: String::new(),
                };
                current = Some((attempt, Manners::Accept, OnItsWay::begin(scene)));
                say(&mut client, "250 go on").await?;
            }
            "RCPT" => {
                let Some((attempt, manners, _)) = &mut current else {
                    say(&mut client, "503 MAIL first").await?;
                    continue;
                };
                rest.trim_start_matches([' ', 'T', 'O', 't', 'o', ':'])
                    .trim_matches(['<', '>', ' '])
                    .clone_into(&mut attempt.recipient);
                *manners = (scene.etiquette)(attempt);
                match manners {
                    Manners::HangUp => return Ok(()),
                    Manners::Refuse(code) => {
                        let refusal = format!("{code} not {}", attempt.recipient);
                        current = None;
                        say(&mut client, &refusal).await?;
                    }
                    _ => say(&mut client, "250 go on").await?,
                }
            }
            "DATA" => {
                let Some((attempt, manners, on_its_way)) = current.take() else {
                    say(&mut client, "503 RCPT first").await?;
                    continue;
                };
                say(&mut client, "354 until a dot").await?;
                let Some(letter) = hear_letter(&mut client).await? else {
                    return Ok(());
                };
                let take = || {
                    taken.push(Taken {
                        recipient: attempt.recipient.clone(),
                        letter: letter.clone(),
                        manners: manners.clone(),
                        at: Instant::now(),
                    });
                };
                match manners {
                    Manners::RefuseLetter(code) => {
                        say(&mut client, &format!("{code} not this")).await?;
                    }
                    Manners::HangUpOnLetter => return Ok(()),
                    Manners::AcceptAndHangUp => {
                        take();
                        return Ok(());
                    }
                    Manners::AcceptAndLeave => {
                        take();
                        return say(&mut client, "250 taken").await;
                    }
                    Manners::Delay(pause) => {
                        take();
                        tokio::time::sleep(pause).await;
                        say(&mut client, "250 taken").await?;
                    }
                    _ => {
                        take();
                        // The next is not on its way before this one is answered.
                        drop(on_its_way);
                        say(&mut client, "250 taken").await?;
                    }
                }
            }
            "NOOP" | "RSET" => say(&mut client, "250 well").await?,
            "QUIT" => return say(&mut client, "221 bye").await,
            _ => say(&mut client, "502 what").await?,
        }
    }
    Ok(())
}

async fn say(client: &mut BufReader<TcpStream>, line: &str) -> io::Result<()> {
    client
        .get_mut()
        .write_all(format!("{line}\r\n").as_bytes())
        .await
}

/// The next line; `None` when the client is gone.
async fn hear(client: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if client.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    let line = String::from_utf8_lossy(&line);
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Lines up to the one that is a dot, those that began with a dot without it.
async fn hear_letter(client: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut letter = String::new();
    while let Some(line) = hear(client).await? {
        if line == "." {
            return Ok(Some(letter));
        }
        letter.push_str(line.strip_prefix('.').unwrap_or(&line));
        letter.push_str("\r\n");
    }
    Ok(None)
}

//! A peer on a real socket that behaves exactly as the test says.
//!
//! ```
//! # use lyceum_testing::peer::{Answer, ScriptedPeer};
//! let user = ScriptedPeer::start();
//! user.on("GET /users/{id}")
//!     .then(Answer::status(503).header("retry-after", "1"))
//!     .then(Answer::reset())
//!     .always(Answer::json(200, &serde_json::json!({ "id": 7 })));
//! let base_url = user.url();
//! ```
//!
//! It lives on a thread of its own and ends with the test. Requests nobody scripted are answered
//! 501, which no client retries, and are named by [`ScriptedPeer::assert_as_scripted`].

mod answer;
mod down;
mod request;
mod script;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use answer::{Answer, Gate};
pub use down::DownPeer;
pub use request::Received;

use answer::Delivered;
use script::Book;

use crate::journal::Journal;
use crate::socket::{Connection, SocketServer};

/// A server whose every answer is scripted and whose every request is kept.
#[derive(Debug)]
pub struct ScriptedPeer {
    scene: Arc<Scene>,
    server: SocketServer,
}

/// What the connections and the test share.
#[derive(Debug, Default)]
struct Scene {
    book: Mutex<Book>,
    connections: Journal<()>,
    requests: Journal<Received>,
    abandoned: Journal<Received>,
}

impl ScriptedPeer {
    /// Listens on a free port of the loopback interface.
    pub fn start() -> Self {
        let scene = Arc::new(Scene::default());
        let served = scene.clone();
        let server =
            SocketServer::start("peer", move |connection| serve(served.clone(), connection));
        Self { scene, server }
    }

    /// `http://127.0.0.1:<port>`
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The script for one `METHOD /path`; a `{segment}` stands for any.
    ///
    /// Of several scripts that fit a request, the one begun first answers.
    pub fn on<'a>(&'a self, route: &'a str) -> Script<'a> {
        self.scene.book().begin(route);
        Script { peer: self, route }
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.scene.requests.entries()
    }

    /// How many connections have been opened so far.
    pub fn connections(&self) -> usize {
        self.scene.connections.len()
    }

    /// Waits until `count` requests have arrived in all, and returns them.
    ///
    /// # Panics
    /// When `deadline` passes first.
    pub async fn wait_for_requests(&self, count: usize, deadline: Duration) -> Vec<Received> {
        let requests = &self.scene.requests;
        requests
            .at_least("requests at a peer", count, deadline)
            .await
    }

    /// Waits until callers have hung up on `count` held answers, and returns those requests.
    ///
    /// # Panics
    /// When `deadline` passes first.
    pub async fn wait_for_abandoned(&self, count: usize, deadline: Duration) -> Vec<Received> {
        let abandoned = &self.scene.abandoned;
        abandoned
            .at_least("answers abandoned by callers", count, deadline)
            .await
    }

    /// Every scripted step was asked for, and nothing else was.
    ///
    /// # Panics
    /// With the requests nobody scripted and the answers nobody fetched.
    pub fn assert_as_scripted(&self) {
        let differences = self.scene.book().differences();
        assert!(
            differences.is_empty(),
            "the peer was not called as scripted:\n{}",
            differences.join("\n")
        );
    }
}

/// The answers to one route: some in sequence, then one for good.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a> {
    peer: &'a ScriptedPeer,
    route: &'a str,
}

impl Script<'_> {
    /// Answers the next request not yet provided for.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the step is written already"
    )]
    pub fn then(self, answer: Answer) -> Self {
        self.peer.scene.book().append(self.route, answer);
        self
    }

    /// Answers every request after the sequence.
    pub fn always(self, answer: Answer) {
        self.always_with(move |_| answer.clone());
    }

    /// Answers every request after the sequence with what `answer` makes of it.
    pub fn always_with(self, answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) {
        self.peer.scene.book().settle(self.route, Arc::new(answer));
    }
}

impl Scene {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(scene: Arc<Scene>, mut connection: Connection) {
    scene.connections.push(());
    loop {
        let request = match connection.read_request().await {
            Ok(Some(message)) => Received::parse(message),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => panic!("{error}"),
            Ok(None) | Err(_) => return,
        };
        let answer = scene.book().answer(&request);
        scene.requests.push(request.clone());
        match answer.deliver(connection).await {
            Ok(Delivered::Whole(next)) => connection = next,
            Ok(Delivered::Abandoned) => return scene.abandoned.push(request),
            Ok(Delivered::Closed) | Err(_) => return,
        }
    }
}

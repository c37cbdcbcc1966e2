//! All bodies that last on one thread.
//!
//! The runtime of a worker is woken by a write to the kernel for each of its tasks that another
//! thread wakes: by five thousand of them when ten thousand streams are told something. A set of
//! tasks is woken once, and then finds all that were.

use std::future::pending;
use std::rc::Rc;

use actix_web::rt;
use tokio::task::LocalSet;

use super::handing::Answer;
use super::line::Line;
use super::speaking::{Scratch, Speaking};

/// The speakers of this thread; clones share them.
#[derive(Debug, Clone)]
pub(in crate::server) struct Speakers {
    set: Rc<LocalSet>,
    scratch: Scratch,
}

impl Speakers {
    /// To be made in the runtime of the worker, with which they end.
    #[expect(
        clippy::disallowed_methods,
        reason = "it is the worker's, which ends it with its other connections"
    )]
    pub(in crate::server) fn new() -> Self {
        let set = Rc::new(LocalSet::new());
        let speakers = Rc::clone(&set);
        rt::spawn(async move { speakers.run_until(pending::<()>()).await });
        let scratch = Scratch::default();
        Self { set, scratch }
    }

    /// Says all of `answer` on the line.
    pub(in crate::server) async fn speak(self, line: Line, answer: Answer) {
        let speaking = Speaking::new(line, answer, self.scratch);
        let spoken = self.set.spawn_local(speaking.say_all());
        // A client that has gone is no failure, and a panic has been logged where it was.
        spoken.await.ok();
    }
}

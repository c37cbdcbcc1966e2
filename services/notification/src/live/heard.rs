//! What this process has heard of a sequence that somebody watches.

use std::collections::VecDeque;
use std::sync::Arc;

use super::told::Told;

/// What this process has heard of one sequence.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// How far it has come; 0 until something is heard.
    pub(super) head: i64,
    /// The last ones, in order and without gaps; not always up to the head.
    last: VecDeque<Arc<Told>>,
}

impl Heard {
    /// The sequence has come to `head`; whether that is news.
    pub(super) fn advance(&mut self, head: i64) -> bool {
        let news = head > self.head;
        self.head = head.max(self.head);
        news
    }

    /// This was just written, and is kept with those before it, `keeps` in all; whether it is
    /// news. What comes too late to stand at the end was overtaken by what is there, and is left
    /// to be read from the database.
    pub(super) fn tell(&mut self, told: &Arc<Told>, keeps: usize) -> bool {
        let last = self.last.back().map_or(0, |last| last.seq());
        if told.seq() > last {
            if told.seq() > last + 1 {
                self.last.clear();
            }
            if self.last.len() >= keeps {
                self.last.pop_front();
            }
            self.last.push_back(Arc::clone(told));
        }
        self.advance(told.seq())
    }

    /// Those after `seq`, if the next one is among them.
    pub(super) fn after(&self, seq: i64) -> Vec<Arc<Told>> {
        let next = self.last.iter().position(|told| told.seq() == seq + 1);
        next.map_or_else(Vec::new, |next| self.last.range(next..).cloned().collect())
    }

    /// Keeps nothing but the place.
    pub(super) fn forget(&mut self) {
        self.last = VecDeque::new();
    }
}

//! Which answer comes next: a sequence per route, then a steady one.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use super::{Answer, Received};

/// What a route answers once its sequence has been used up.
pub(super) type Steady = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;

/// All routes of a peer, and the requests that none of them provided for.
#[derive(Debug, Default)]
pub(super) struct Book {
    routes: Vec<Route>,
    unscripted: Vec<String>,
}

struct Route {
    name: String,
    sequence: VecDeque<Answer>,
    steady: Option<Steady>,
}

impl Book {
    /// Enters a route without answers, unless it is there.
    pub(super) fn begin(&mut self, name: &str) {
        assert!(
            name.split_once(" /").is_some(),
            "a route reads `METHOD /path`, not {name:?}"
        );
        if self.routes.iter().all(|route| route.name != name) {
            self.routes.push(Route {
                name: name.to_owned(),
                sequence: VecDeque::new(),
                steady: None,
            });
        }
    }

    /// Adds a step to the sequence of a route.
    pub(super) fn append(&mut self, name: &str, answer: Answer) {
        self.route(name).sequence.push_back(answer);
    }

    /// Sets what a route answers after its sequence.
    pub(super) fn settle(&mut self, name: &str, answer: Steady) {
        self.route(name).steady = Some(answer);
    }

    /// Takes the next answer for a request.
    pub(super) fn answer(&mut self, request: &Received) -> Answer {
        let fitting = self.routes.iter_mut().find(|route| route.fits(request));
        let answer = fitting.and_then(|route| {
            let step = route.sequence.pop_front();
            step.or_else(|| route.steady.as_ref().map(|steady| steady(request)))
        });
        answer.unwrap_or_else(|| {
            let name = format!("{} {}", request.method, request.path);
            let answer = Answer::text(501, &format!("nothing is scripted for {name}"));
            self.unscripted.push(name);
            answer
        })
    }

    /// Where reality left the script, one line each.
    pub(super) fn differences(&self) -> Vec<String> {
        let unasked = self.routes.iter().flat_map(|route| {
            let steps = route.sequence.iter();
            steps.map(|step| format!("never asked for: {} → {step:?}", route.name))
        });
        let unscripted = self.unscripted.iter();
        unscripted
            .map(|name| format!("not scripted: {name}"))
            .chain(unasked)
            .collect()
    }

    fn route(&mut self, name: &str) -> &mut Route {
        let route = self.routes.iter_mut().find(|route| route.name == name);
        route.expect("a script begins its route")
    }
}

impl Route {
    fn fits(&self, request: &Received) -> bool {
        let Some((method, template)) = self.name.split_once(' ') else {
            return false;
        };
        let expected = || template.split('/');
        let actual = || request.path.split('/');
        method == request.method
            && expected().count() == actual().count()
            && expected().zip(actual()).all(|(expected, actual)| {
                expected == actual || (expected.starts_with('{') && !actual.is_empty())
            })
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route")
            .field("name", &self.name)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

//! A little life: a demo student comes by every few seconds, so that there is always a fresh trace.
//!
//! What a visit writes, it writes once: accounts and places that are there already stay as they
//! are, and a login lasts for many visits. Whatever fails is told when it begins and when it ends.

use std::time::Duration;

use lyceum_contracts::role::Role;
use tokio::time::{Instant, MissedTickBehavior};

use crate::api::{Api, CallError, Caller};
use crate::demo::{self, Person, STUDENT};

/// Learns with the first student, and like her only reads.
const CLASSMATE: Person = Person {
    email: "alan@lyceum.test",
    full_name: "Alan Student",
    role: Role::Student,
};

/// How long a visitor listens for notifications.
const MOMENT: Duration = Duration::from_secs(1);

/// Somebody who comes again and again.
struct Visitor {
    person: Person,
    caller: Option<Caller>,
}

/// How the last visit went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Content,
    Degraded,
    Failed,
}

/// Sends one visitor `every` so often, in turn; never ends.
pub async fn flow(api: &Api, every: Duration) {
    let mut visitors = [STUDENT, CLASSMATE].map(|person| Visitor {
        person,
        caller: None,
    });
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut mood = Mood::Content;
    loop {
        for visitor in &mut visitors {
            tick.tick().await;
            let visit = visitor.visit(api).await;
            mood = tell(mood, &visit);
            // Only then: while another service is away, a login per visit would be a session each.
            if let Err(CallError::Unexpected { status: 401, .. }) = visit {
                visitor.caller = None;
            }
        }
    }
}

impl Visitor {
    /// Catalogue, a place, inbox, live notifications, overview; the parts that were missing.
    async fn visit(&mut self, api: &Api) -> Result<Vec<String>, CallError> {
        let caller = match &self.caller {
            Some(caller) if !caller.is_stale(Instant::now()) => caller,
            _ => {
                api.register(self.person).await?;
                let caller = api.log_in(&self.person.credentials()).await?;
                self.caller.insert(caller)
            }
        };
        let courses = api.courses(caller).await?;
        if let Some(course) = courses.iter().find(|course| demo::is_open_to_all(course)) {
            api.enrol(caller, course.id).await?;
        }
        api.read_inbox(caller).await?;
        api.listen(caller, MOMENT).await?;
        let degraded = api.overview(caller).await?.degraded;
        Ok(degraded.into_iter().map(|missing| missing.part).collect())
    }
}

/// Logs a change of mood.
fn tell(before: Mood, visit: &Result<Vec<String>, CallError>) -> Mood {
    let now = match visit {
        Ok(missing) if missing.is_empty() => Mood::Content,
        Ok(_) => Mood::Degraded,
        Err(_) => Mood::Failed,
    };
    if now != before {
        match visit {
            Ok(missing) if missing.is_empty() => {
                tracing::info!(event = "traffic.well", "visits find everything again");
            }
            Ok(missing) => {
                let missing = missing.join(", ");
                tracing::warn!(event = "traffic.degraded", missing, "an overview has gaps");
            }
            Err(error) => {
                tracing::warn!(event = "traffic.failed", %error, "a visit ended early");
            }
        }
    }
    now
}

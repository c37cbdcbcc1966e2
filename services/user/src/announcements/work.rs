//! The job of an announcement: a few people per step.

use lyceum_chassis::database::{DbErr, Transaction};
use lyceum_contracts::event::Event;
use lyceum_contracts::job::{AnnouncementResult, JobKind, JobResult};
use lyceum_contracts::role::Role;
use serde::{Deserialize, Serialize};

use super::store;
use crate::jobs::{Step, Task, Work};

/// Tells everybody something.
#[derive(Debug, Clone)]
pub(crate) struct Announce {
    /// People of one step.
    pub(crate) at_once: u64,
}

/// What is told to whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Announcement {
    pub(super) title: String,
    pub(super) text: String,
    /// Empty is everybody.
    pub(super) roles: Vec<Role>,
}

/// Where the walk is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) enum Cursor {
    /// Nobody knows yet how long it is.
    #[default]
    Begin,
    /// Everybody up to and including `after` is told.
    Walk {
        after: i64,
        /// The newest account when it began: who comes later was not there to be told.
        last: i64,
        told: i64,
    },
}

impl Work for Announce {
    const KIND: JobKind = JobKind::Announcement;
    type Input = Announcement;
    type Cursor = Cursor;

    async fn step(
        &self,
        transaction: &Transaction,
        task: &Task<Announcement>,
        cursor: Cursor,
    ) -> Result<Step<Cursor>, DbErr> {
        let Announcement { title, text, roles } = &task.input;
        let Cursor::Walk { after, last, told } = cursor else {
            let audience = store::audience(transaction, roles).await?;
            return Ok(Step::Further {
                cursor: Cursor::Walk {
                    after: 0,
                    last: audience.last.unwrap_or(0),
                    told: 0,
                },
                done: 0,
                total: Some(audience.people),
            });
        };
        let people = store::next_of(transaction, roles, after, last, self.at_once).await?;
        let Some(&newest) = people.last() else {
            let told = told.unsigned_abs();
            let result = AnnouncementResult { told };
            return Ok(Step::Done(JobResult::Announcement(result)));
        };
        let told = told + i64::try_from(people.len()).unwrap_or(0);
        let events: Vec<_> = people
            .into_iter()
            .map(|user_id| Event::AnnouncementPosted {
                announcement_id: task.id.get(),
                user_id,
                title: title.clone(),
                text: text.clone(),
            })
            .collect();
        lyceum_outbox::push_all(transaction, &events).await?;
        Ok(Step::Further {
            cursor: Cursor::Walk {
                after: newest.get(),
                last,
                told,
            },
            done: told,
            total: None,
        })
    }
}

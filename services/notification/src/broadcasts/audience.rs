//! Whom a broadcast is for, page by page.
//!
//! Pages are asked from the services that know, in the order of ids and with no transaction open.
//! What was read of a page and not told yet is forgotten with the process, and asked for again.

use std::collections::{HashSet, VecDeque};

use lyceum_client::{ClientError, CourseClient, UserClient};
use lyceum_contracts::broadcast::AudienceKind;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::user::MAX_LOOKUP;

use crate::entity::broadcast::Model;

/// People of one page: as many as can be looked up in one call.
const PAGE: usize = MAX_LOOKUP;

/// The services that know.
#[derive(Debug, Clone)]
pub(super) struct Audiences {
    pub(super) users: UserClient,
    pub(super) courses: CourseClient,
}

/// Some of the people a broadcast is for.
#[derive(Debug)]
pub(super) struct Page {
    /// In the order of their ids.
    pub(super) people: VecDeque<Somebody>,
    /// How many there are on all pages, if that is known.
    pub(super) total: Option<i64>,
    /// Whether nobody comes after them.
    pub(super) is_last: bool,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Somebody {
    pub(super) id: UserId,
    /// Whether there is such an account, as far as anybody has said.
    pub(super) exists: bool,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoPage {
    /// To be asked for again.
    #[error("the {service} service does not say whom it is for")]
    Peer {
        service: &'static str,
        #[source]
        cause: ClientError,
    },
    /// There will be none.
    #[error("there is no such course")]
    NoSuchCourse,
    /// The row holds what no release of ours has written.
    #[error("its record cannot be read")]
    Unreadable,
}

impl Audiences {
    /// Those after the place the broadcast has come to.
    pub(super) async fn next_page(&self, broadcast: &Model) -> Result<Page, NoPage> {
        // 0 is the place before everybody.
        let after = UserId::try_from(broadcast.after_id).ok();
        match broadcast.audience {
            AudienceKind::All => self.everybody(after).await,
            AudienceKind::Course => self.enrolled(broadcast, after).await,
            AudienceKind::Users => self.listed(broadcast, after).await,
        }
    }

    async fn everybody(&self, after: Option<UserId>) -> Result<Page, NoPage> {
        let page = self.users.everybody(after, PAGE as u64).await;
        let page = page.map_err(of("user"))?;
        let known = page.items.into_iter().map(|person| known(person.id));
        Ok(Page {
            people: known.collect(),
            total: None,
            is_last: page.next_after.is_none(),
        })
    }

    async fn enrolled(&self, broadcast: &Model, after: Option<UserId>) -> Result<Page, NoPage> {
        let course = broadcast.course_id.ok_or(NoPage::Unreadable)?;
        let page = self.courses.enrolled_in(course, after, PAGE as u64).await;
        let page = page.map_err(of("course"))?.ok_or(NoPage::NoSuchCourse)?;
        Ok(Page {
            people: page.items.into_iter().map(known).collect(),
            total: i64::try_from(page.total).ok(),
            is_last: page.next_after.is_none(),
        })
    }

    async fn listed(&self, broadcast: &Model, after: Option<UserId>) -> Result<Page, NoPage> {
        let ids = broadcast.user_ids.clone().ok_or(NoPage::Unreadable)?;
        let mut ids: Vec<UserId> =
            serde_json::from_value(ids).map_err(|_unreadable| NoPage::Unreadable)?;
        ids.retain(|id| Some(*id) > after);
        let is_last = ids.len() <= PAGE;
        ids.truncate(PAGE);
        let found = self.users.lookup(&ids).await.map_err(of("user"))?;
        let found: HashSet<UserId> = found.into_iter().map(|person| person.id).collect();
        let somebody = |id| Somebody {
            id,
            exists: found.contains(&id),
        };
        Ok(Page {
            people: ids.into_iter().map(somebody).collect(),
            total: None,
            is_last,
        })
    }
}

const fn known(id: UserId) -> Somebody {
    Somebody { id, exists: true }
}

fn of(service: &'static str) -> impl Fn(ClientError) -> NoPage {
    move |cause| NoPage::Peer { service, cause }
}

//! Which of the claimed letters go together: those to somebody who wants them once an hour or a day.
//!
//! Each waits in its own row until the first of them may go; then all go as one, and are settled
//! alike. What comes between two attempts at a digest goes with the second.

use std::collections::{BTreeMap, HashMap, VecDeque};

use lyceum_chassis::database::DbErr;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::user::Contact;
use time::OffsetDateTime;

use super::claims;
use super::letter::Content;
use super::parcel::{Parcel, Ready};
use super::sender::Sender;
use super::source::read;
use crate::entity::mail::Model;
use crate::preferences::store::Choices;
use crate::schedule::Outcome;

impl Sender {
    /// Makes parcels of what was `claimed` at `now`, and of what goes with it.
    pub(super) async fn gather(
        &self,
        claimed: Vec<(Model, Result<Content, Outcome>)>,
        contacts: &HashMap<UserId, Contact>,
        choices: &HashMap<UserId, Choices>,
        now: OffsetDateTime,
    ) -> Result<VecDeque<Parcel>, DbErr> {
        let chosen = |user: UserId| choices.get(&user).cloned().unwrap_or_default();
        let parcel = |mail: Model, read: Result<Content, Outcome>, gathered: Vec<_>| {
            let user = mail.user_id;
            let (gathered, contents) = gathered.into_iter().unzip();
            let ready = read.map(|content| Ready {
                content,
                gathered: contents,
                contact: contacts.get(&user).cloned(),
                choices: chosen(user),
            });
            Parcel {
                mail,
                gathered,
                ready,
            }
        };
        let mut parcels = VecDeque::new();
        let mut together = BTreeMap::<UserId, Vec<(Model, Content)>>::new();
        for (mail, read) in claimed {
            let choices = chosen(mail.user_id);
            match read {
                Ok(content)
                    if choices.gathers(content.topic())
                        && choices
                            .wait(content.topic(), mail.created_at, now)
                            .is_none() =>
                {
                    let letters = together.entry(mail.user_id).or_default();
                    letters.push((mail, content));
                }
                read => parcels.push_back(parcel(mail, read, Vec::new())),
            }
        }
        if together.is_empty() {
            return Ok(parcels);
        }
        let people: Vec<UserId> = together.keys().copied().collect();
        let lease_end = now + self.settings.lease();
        for mail in claims::claim_gathered(&self.database, &people, now, lease_end).await? {
            match (read(&mail), together.get_mut(&mail.user_id)) {
                (Ok(content), Some(letters)) if chosen(mail.user_id).gathers(content.topic()) => {
                    letters.push((mail, content));
                }
                (read, _) => parcels.push_back(parcel(mail, read, Vec::new())),
            }
        }
        for mut letters in together.into_values() {
            letters.sort_unstable_by_key(|(mail, _)| mail.id);
            let mut letters = letters.into_iter();
            if let Some((mail, content)) = letters.next() {
                parcels.push_back(parcel(mail, Ok(content), letters.collect()));
            }
        }
        Ok(parcels)
    }
}

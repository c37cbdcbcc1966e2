//! Letters are claimed, and given back.

use lyceum_chassis::claims::{Claimable, claiming, take};
use lyceum_chassis::database::{Database, DbErr, Kind, Rows};
use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::ids::UserId;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use time::OffsetDateTime;

use super::letter::Content;
use crate::entity::mail::{ActiveModel, Column, Entity, Model};
use crate::schedule::CLAIM_WRITES;

/// Letters that go to all readers of a claim together at most; the rest follows with the next.
const MOST_GATHERED: i64 = 500;

impl Claimable for Entity {
    const STATE: &'static str = "state";
    const CLAIMED: &'static str = DeliveryState::Sending.as_str();
    const ALSO: &'static str = CLAIM_WRITES;

    fn claim_of(mail: &Model) -> (i64, i64) {
        (mail.id.get(), mail.claims)
    }
}

/// Takes the letters to `people` that are gathered to others, until `lease_end`, whenever they are
/// due: what goes to somebody goes together. Another replica's are skipped, not waited for.
pub(super) async fn claim_gathered(
    database: &Database,
    people: &[UserId],
    now: OffsetDateTime,
    lease_end: OffsetDateTime,
) -> Result<Vec<Model>, DbErr> {
    let people = people.iter().map(|user| [user.get().into()]);
    let people = Rows::new([("person", Kind::Integer)], people);
    let values = [now.into(), lease_end.into(), MOST_GATHERED.into()];
    let claim = people.statement(database.get_database_backend(), values, |people| {
        let which = format!(
            "state = 'queued' AND user_id IN (SELECT person FROM {people}) \
             AND template IN ('{}') ORDER BY id LIMIT $3",
            Content::GATHERED.join("', '"),
        );
        claiming::<Entity>(database.engine(), &which)
    })?;
    take::<Entity>(database, claim).await
}

/// Gives claimed letters back, due at once and not counted; those claimed anew since are left alone.
pub(super) async fn release(
    db: &impl ConnectionTrait,
    claims: &[Model],
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    // All of one claim have the same end of the lease, which is what proves that they still are.
    let Some(lease_end) = claims.first().map(|mail| mail.due_at) else {
        return Ok(());
    };
    Entity::update_many()
        .set(ActiveModel {
            state: Set(DeliveryState::Queued),
            due_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        })
        .filter(Column::Id.is_in(claims.iter().map(|mail| mail.id)))
        .filter(Column::State.eq(DeliveryState::Sending))
        .filter(Column::DueAt.eq(lease_end))
        .exec(db)
        .await
        .map(drop)
}

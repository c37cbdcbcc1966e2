//! Links that can no longer count go.
//!
//! A loop rather than on use: who never comes back uses nothing, and the address they wanted to
//! confirm would stay for ever. Tokens go with their link, and expired ones of a link that is
//! mailed again when its next letter is written.

use std::time::Duration;

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner};
use sea_orm::ColumnTrait;

use super::domain;
use crate::entity::mailed_link::{Column, Entity};

/// A link is kept for two weeks, and an hour more is no matter.
const PACE: Pace = Pace {
    every: Duration::from_hours(1),
    batch: 500,
};

/// Forgets the links of a database that are too old.
pub(crate) fn pruner(database: &Database) -> Pruner {
    Pruner::of_oldest::<Entity>("mailed links", database, PACE, Column::Id, |now| {
        Column::CreatedAt.lt(now - domain::KEPT_FOR)
    })
}

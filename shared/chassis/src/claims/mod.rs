//! Rows that are work, and the loops that do it: whichever replica claims a row does its work, and
//! if it is killed another one does.
//!
//! A claim is a lease ([`Claimable`]): `due_at` moves to its end, from when on anybody may claim the
//! row, and the number in `claims` is what proves later that nobody has done so since ([`held`]).
//!
//! A loop looks for work, and waits when there is none ([`Pauses`]). Long work is done in steps,
//! some rows at once ([`work`]); how many messages are on their way at once, and to whom, is their
//! rooms' own. What has been done is written down whatever the database thinks of it ([`insist`]),
//! and what waits is counted meanwhile ([`counting`]).

mod lease;
mod loops;
mod steps;

pub use self::lease::{Claimable, Hold, claim, claiming, held, hold, take};
pub use self::loops::{Pauses, counting, insist};
pub use self::steps::{Steps, do_next, work};

//! Notices to many people: who is told, what is refused, and that everybody is told once.

mod asked;
mod killed;
mod shared;
mod told;
mod town;
mod waits;

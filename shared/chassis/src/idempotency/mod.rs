//! A POST that has its effect once, however often it is sent.
//!
//! The caller names its request in `Idempotency-Key`. The key is written in the transaction of the
//! effect, and the answer with it, so there is no moment in which one is true without the others:
//! killed before the commit nothing has happened, killed after it the repeat is answered as the
//! first request was (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! | the same caller sends to the same route | answer |
//! |---|---|
//! | a key for the first time, or after a failure | as without a key |
//! | a key again | the first answer, marked `Idempotent-Replayed: true` |
//! | a key while the first request is under way | the same, as soon as that one is done |
//! | a key with another request | 422 `idempotency-key-reused` |
//! | what is no key | 400 that names the header |
//!
//! Failures are not kept: what was refused or broke off may be asked again under its key. A key is
//! optional, but for routes that take [`RequiredIdempotencyKey`] because a second effect would be
//! dear: there, a request without one is 400. It is remembered for `idempotency.keep_s`.
//!
//! # In a service
//!
//! Settings: a section `[idempotency]` of type [`IdempotencySettings`]. Migrations: append
//! [`migrations`]. Start-up: [`Chassis::prune`](crate::Chassis::prune) with [`pruner`]. A handler
//! takes the key and says whose request it is and what it asks; a command begins with it:
//!
//! ```text
//! async fn create_course(
//!     teacher: Require<TeachCourses>, key: IdempotencyKey, Body(course): Body<NewCourse>, …
//! ) -> Result<Answer, ApiError> {
//!     let keyed = key.of(teacher.id, &course)?;
//!     Ok(commands::create_course(&state.database, keyed, course, …).await?)
//! }
//!
//! async fn create_course(database: &Database, keyed: Keyed, …) -> Result<Answer, KeyedError> {
//!     let transaction = match keyed.begin(database, now).await? {
//!         Begun::First(transaction) => transaction,
//!         Begun::Again(answer) => return Ok(answer),
//!     };
//!     let course = store::insert_draft(&transaction, …).await?;
//!     Ok(transaction.commit(course).await?)      // `impl From<Course> for Answer`
//! }
//! ```
//!
//! Answers that hold a secret, such as the tokens of a login, must not be kept: no key there.

mod entity;
mod key;
mod keyed;
mod migration;
mod retention;
mod settings;
mod store;

pub use self::key::{IdempotencyKey, RequiredIdempotencyKey};
pub use self::keyed::{Begun, Keyed, KeyedError, KeyedTransaction, Owner};
pub use self::migration::migrations;
pub use self::retention::pruner;
pub use self::settings::IdempotencySettings;

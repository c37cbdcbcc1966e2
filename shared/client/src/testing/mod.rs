//! A peer without a socket, for the tests of whoever calls one.
//!
//! ```
//! # use lyceum_client::testing::{Act, Script};
//! # use lyceum_client::{CourseClient, UpstreamSettings};
//! # use lyceum_contracts::ids::UserId;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let stats = serde_json::json!({"enrolled": 3, "dropped": 1, "teaching": 0});
//! let peer = Script::new([Act::status(503), Act::json(200, &stats)]);
//! let courses = CourseClient::from(peer.upstream("course", &UpstreamSettings::default())?);
//!
//! assert_eq!(courses.stats_of(UserId::try_from(1)?).await?.value.enrolled, 3);
//! assert_eq!(peer.sent().len(), 2);            // it was asked again
//! # Ok(()) }
//! ```
//!
//! Everything but the wire is real: deadlines, repeats, budget, breaker, spans. With tokio's time
//! paused a wait costs nothing and always takes as long as it should, and the dice are seeded, so
//! a test never sleeps and always sees the same.

mod act;
mod script;

pub use self::act::Act;
pub use self::script::{Script, Sent};

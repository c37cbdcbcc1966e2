//! Answers that last: a stream of events, a WebSocket.
//!
//! The framework serves a connection with two buffers of 8 KiB and all it needs for the next
//! request, and keeps them while an answer flows, however little that is. So an answer that says it
//! will last ([`last`]) leaves that machinery once its head is written: what served the connection
//! is dropped, and the body goes on alone on the bare socket (`Speaking`), with a buffer only while
//! its client takes nothing.
//!
//! | module | what |
//! |---|---|
//! | `line` | the socket |
//! | `handing` | from who serves the connection to who speaks on it |
//! | `speakers` | all of them on a thread |
//! | `speaking`, `framing` | the body on the socket |
//! | `inbound` | what the client sends meanwhile |

mod framing;
mod handing;
mod inbound;
mod line;
mod speakers;
mod speaking;

use actix_web::HttpResponse;

use self::framing::Framing;
pub(super) use self::handing::{Handing, hand_over};
pub use self::inbound::Inbound;
pub(super) use self::line::Line;
pub(super) use self::speakers::Speakers;

/// Mark of an answer whose body lasts.
#[derive(Debug, Clone, Copy)]
struct Lasting;

/// Says that the body lasts. It must be a stream, and end when it is told to stop; the connection
/// is closed behind it.
#[must_use]
pub fn last(mut answer: HttpResponse) -> HttpResponse {
    answer.extensions_mut().insert(Lasting);
    answer
}

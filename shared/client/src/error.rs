//! What can become of a call, and how a handler passes it on.
//!
//! One variant per thing a caller can do about it. What they print (`Display`) holds no text from
//! the peer's body or from a library, which may be personal. Only [`ClientError::Refused`] carries
//! the peer's words, for the handler that knows what they mean.

use std::time::Duration;

use lyceum_contracts::problem::{Problem, ProblemKind};

/// What to say when a peer that cannot answer now names no time.
const A_MOMENT: Duration = Duration::from_secs(1);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The peer has been failing and rests; nothing was sent. Degrade, or come back later.
    #[error("the circuit is open for another {} ms", retry_after.as_millis())]
    CircuitOpen {
        /// When the next probe may pass.
        retry_after: Duration,
    },
    /// Too many calls to this peer are in flight from here; nothing was sent.
    #[error("too many calls in flight")]
    Overloaded,
    /// The time granted for the whole call is over.
    #[error("the deadline passed after {attempts} attempt(s)")]
    DeadlineExceeded {
        /// Attempts that went out; with 0 the peer saw nothing.
        attempts: u32,
    },
    /// No connection, or one that broke.
    #[error("the peer cannot be reached{}", if *sent { " any more" } else { "" })]
    Unreachable {
        /// Whether the peer may have seen the request, and may have acted on it.
        sent: bool,
    },
    /// The peer did not answer within the time of one attempt. It may have acted.
    #[error("the peer did not answer in time")]
    Timeout,
    /// The peer answered that it will not, or cannot.
    #[error("the peer refused with status {}", problem.status)]
    Refused {
        /// What it said; made from the status when it said nothing readable.
        problem: Box<Problem>,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The peer answered something that was not agreed.
    #[error("the peer's answer cannot be used: {0}")]
    Malformed(Malformation),
}

/// In what way an answer was not as agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformation {
    /// Not HTTP.
    #[error("it is not HTTP")]
    NotHttp,
    /// A redirect or another status that no route of ours answers with.
    #[error("unexpected status {0}")]
    Status(u16),
    /// Larger than `max_response_bytes`.
    #[error("it is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit_bytes: usize,
    },
    /// About somebody who was not asked for.
    #[error("it is about somebody else")]
    SomebodyElse,
    /// A page of a list that does not go on where it was asked to.
    #[error("it is out of order")]
    OutOfOrder,
    /// Not the JSON the contract promises.
    #[error("it is not the JSON agreed, at line {line} column {column}")]
    Json {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
    },
}

impl ClientError {
    /// A stable word for `degraded`, metrics and spans.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::CircuitOpen { .. } => "circuit_open",
            Self::Overloaded => "overloaded",
            Self::DeadlineExceeded { .. } => "deadline_exceeded",
            Self::Unreachable { .. } => "unreachable",
            Self::Timeout => "timeout",
            Self::Refused { .. } => "refused",
            Self::Malformed(_) => "malformed",
        }
    }

    /// Whether the peer only passed on that a service behind it is in trouble. It works itself, and
    /// has repeated what may be repeated: another attempt here would multiply with those.
    pub(crate) fn is_of_a_peer_s_peer(&self) -> bool {
        match self {
            Self::Refused { problem, .. } => {
                ProblemKind::from_type_uri(&problem.r#type).is_some_and(ProblemKind::is_of_a_peer)
            }
            _ => false,
        }
    }

    /// The status the peer refused with.
    pub const fn refused_with(&self) -> Option<u16> {
        match self {
            Self::Refused { problem, .. } => Some(problem.status),
            _ => None,
        }
    }

    /// What a handler answers that cannot do without the peer, and the value of `Retry-After`.
    ///
    /// 503 when the peer is not to be asked now, 504 when it is too slow, 502 otherwise: a
    /// refusal the handler did not expect means the two services disagree, which is no fault of
    /// the caller's.
    pub fn to_problem(&self) -> (Problem, Option<Duration>) {
        let (kind, retry_after) = match self {
            Self::CircuitOpen { retry_after } => (ProblemKind::PeerUnavailable, Some(*retry_after)),
            Self::Overloaded => (ProblemKind::PeerUnavailable, Some(A_MOMENT)),
            Self::Refused {
                problem,
                retry_after,
            } if matches!(problem.status, 429 | 503) => (
                ProblemKind::PeerUnavailable,
                Some(retry_after.unwrap_or(A_MOMENT)),
            ),
            Self::Refused { problem, .. } if matches!(problem.status, 408 | 504) => {
                (ProblemKind::GatewayTimeout, None)
            }
            Self::DeadlineExceeded { .. } | Self::Timeout => (ProblemKind::GatewayTimeout, None),
            Self::Unreachable { .. } | Self::Refused { .. } | Self::Malformed(_) => {
                (ProblemKind::BadGateway, None)
            }
        };
        (kind.problem(), retry_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: ProblemKind, retry_after: Option<Duration>) -> ClientError {
        ClientError::Refused {
            problem: Box::new(kind.problem()),
            retry_after,
        }
    }

    #[test]
    fn every_error_becomes_a_gateway_problem_and_never_a_500() {
        let second = Duration::from_secs(1);
        for (error, status, retry_after) in [
            (
                ClientError::CircuitOpen {
                    retry_after: 3 * second,
                },
                503,
                Some(3 * second),
            ),
            (ClientError::Overloaded, 503, Some(second)),
            (refused(ProblemKind::Unavailable, None), 503, Some(second)),
            (
                refused(ProblemKind::TooManyRequests, Some(7 * second)),
                503,
                Some(7 * second),
            ),
            (ClientError::DeadlineExceeded { attempts: 0 }, 504, None),
            (ClientError::Timeout, 504, None),
            (refused(ProblemKind::GatewayTimeout, None), 504, None),
            (ClientError::Unreachable { sent: true }, 502, None),
            (refused(ProblemKind::InternalError, None), 502, None),
            (refused(ProblemKind::Conflict, None), 502, None),
            (ClientError::Malformed(Malformation::NotHttp), 502, None),
        ] {
            let (problem, wait) = error.to_problem();
            assert_eq!((problem.status, wait), (status, retry_after), "{error}");
        }
    }
}

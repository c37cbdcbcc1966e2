//! The query of a request, read into a type.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use lyceum_contracts::problem::{Fault, ProblemKind};
use serde_json::{Map, Value};

use super::ApiError;
use super::fields::{Fields, FromFields};
use super::page::INVALID_CURSOR;

/// A request's query parameters, parsed.
///
/// A name that stands twice or that nobody knows is a fault (422), as is every value out of range.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: FromFields> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.path(), request.query_string()).map(Self))
    }
}

fn parse<T: FromFields>(path: &str, query: &str) -> Result<T, ApiError> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
        .map_err(|_| ApiError::of(ProblemKind::MalformedRequest).detail("the query is not one"))?;
    let mut values = Map::new();
    for (name, value) in pairs {
        if values.contains_key(&name) {
            return Err(ApiError::faults(vec![Fault {
                pointer: format!("?{name}"),
                detail: "stands more than once".to_owned(),
                code: "repeated".to_owned(),
            }]));
        }
        values.insert(name, Value::String(value));
    }
    Fields::of_query(path, values).read().map_err(refused)
}

/// A cursor gone wrong is no fault in the meaning of a request, and its caller begins anew: 400.
fn refused(faults: Vec<Fault>) -> ApiError {
    if faults.iter().all(|fault| fault.code == INVALID_CURSOR) {
        ApiError::of(ProblemKind::InvalidCursor).naming(faults)
    } else {
        ApiError::faults(faults)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    struct Search {
        q: String,
        limit: u8,
    }

    impl FromFields for Search {
        fn from_fields(fields: &mut Fields) -> Option<Self> {
            let q = fields.required("q", Ok::<String, Infallible>);
            let limit = fields.required("limit", Ok::<u8, Infallible>);
            Some(Self {
                q: q?,
                limit: limit?,
            })
        }
    }

    #[test]
    fn text_stays_as_it_was_sent_and_numbers_are_read() {
        for (sent, text) in [
            ("%22to+be%22", "\"to be\""),
            ("%22%5Cu0041%22", "\"\\u0041\""),
            ("7", "7"),
            ("null", "null"),
        ] {
            let search = parse::<Search>("/", &format!("q={sent}&limit=5")).unwrap();
            assert_eq!((search.q.as_str(), search.limit), (text, 5));
        }
        let error = parse::<Search>("/", "q=x&limit=many").err().unwrap();
        assert_eq!(error.problem().errors[0].detail, "must be u8");
    }
}

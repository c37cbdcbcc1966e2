//! The JSON body of a request, read into a domain type.

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use lyceum_contracts::problem::{Fault, ProblemKind};
use serde_json::Value;

use super::fields::{Fields, FromFields};
use super::{ApiError, json};

/// How much of a body that is too large is still read, as a multiple of the limit, so that the
/// connection stays usable after the 413.
const DRAIN_FACTOR: usize = 2;

/// The most bytes a body may have; set by the server from `http.body_limit_bytes`.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// A request's JSON object, parsed.
///
/// Answers 415 for another media type, 413 for too many bytes, 400 for what is not JSON, and 422
/// with every fault for what is.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: FromFields + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let json = is_json(request);
        let limit = request.app_data::<BodyLimit>().map_or(0, |limit| limit.0);
        let payload = payload.take();
        Box::pin(async move {
            if !json {
                return Err(ApiError::of(ProblemKind::UnsupportedMediaType));
            }
            let bytes = collect(payload, limit).await?;
            parse(&bytes).map(Self)
        })
    }
}

/// `application/json`, or `application/merge-patch+json` for a PATCH; any charset but UTF-8 is
/// refused because JSON has no other.
fn is_json(request: &HttpRequest) -> bool {
    let Some(value) = request.headers().get(header::CONTENT_TYPE) else {
        return false;
    };
    let Some(media) = value
        .to_str()
        .ok()
        .and_then(|text| text.parse::<mime::Mime>().ok())
    else {
        return false;
    };
    let known = matches!(
        media.essence_str(),
        "application/json" | "application/merge-patch+json"
    );
    known
        && media
            .get_param(mime::CHARSET)
            .is_none_or(|charset| charset == mime::UTF_8)
}

async fn collect(mut payload: Payload, limit: usize) -> Result<web::Bytes, ApiError> {
    let mut body = web::BytesMut::new();
    let mut read = 0_usize;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            ApiError::of(ProblemKind::MalformedRequest)
                .detail("the body ended before its time")
                .cause(anyhow::anyhow!("{error}"))
        })?;
        read = read.saturating_add(chunk.len());
        if read <= limit {
            body.extend_from_slice(&chunk);
        } else if read > limit.saturating_mul(DRAIN_FACTOR) {
            break;
        }
    }
    if read > limit {
        return Err(ApiError::of(ProblemKind::ContentTooLarge)
            .detail(format!("a body may have {limit} bytes")));
    }
    Ok(body.freeze())
}

fn parse<T: FromFields>(bytes: &[u8]) -> Result<T, ApiError> {
    let value = json::parse(bytes).map_err(|error| {
        ApiError::of(ProblemKind::MalformedRequest).detail(format!("the body is not JSON: {error}"))
    })?;
    read(value).map_err(ApiError::faults)
}

/// One line of a body that is a stream of JSON objects (NDJSON), read as a whole body is; what is
/// not JSON is a fault of the line.
///
/// # Errors
/// Every fault of the line, with pointers into it.
pub fn parse_line<T: FromFields>(line: &[u8]) -> Result<T, Vec<Fault>> {
    let value = json::parse(line).map_err(|error| vec![fault("malformed", error.to_string())])?;
    read(value)
}

fn read<T: FromFields>(value: Value) -> Result<T, Vec<Fault>> {
    let Value::Object(values) = value else {
        return Err(vec![fault("wrong_type", "must be an object")]);
    };
    Fields::of_body(values).read()
}

/// A fault of the whole.
fn fault(code: &str, detail: impl Into<String>) -> Fault {
    Fault {
        pointer: "#".to_owned(),
        detail: detail.into(),
        code: code.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Rule;

    #[derive(Debug)]
    struct Person {
        email: String,
        age: u8,
    }

    #[derive(Debug)]
    struct NoAt;

    impl std::fmt::Display for NoAt {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("needs an @")
        }
    }

    impl Rule for NoAt {
        fn code(&self) -> &'static str {
            "no_at"
        }
    }

    impl FromFields for Person {
        fn from_fields(fields: &mut Fields) -> Option<Self> {
            let email = fields.required("email", |text: String| {
                if text.contains('@') {
                    Ok(text)
                } else {
                    Err(NoAt)
                }
            });
            let age = fields.required("age", Ok::<u8, NoAt>);
            Some(Self {
                email: email?,
                age: age?,
            })
        }
    }

    #[test]
    fn every_fault_of_a_body_is_named_in_one_answer() {
        let error = parse::<Person>(br#"{"email":"x","age":"12","is_admin":true}"#).unwrap_err();
        let faults: Vec<_> = error
            .problem()
            .errors
            .iter()
            .map(|fault| (fault.pointer.as_str(), fault.code.as_str()))
            .collect();
        assert_eq!(
            faults,
            [
                ("#/email", "no_at"),
                ("#/age", "wrong_type"),
                ("#/is_admin", "unknown_field")
            ]
        );
        assert!(
            !error.problem().errors[1].detail.contains("12"),
            "the value is not repeated"
        );
    }

    #[test]
    fn a_line_has_the_faults_of_a_body_and_that_it_is_no_json() {
        let codes = |line: &[u8]| {
            let faults = parse_line::<Person>(line).unwrap_err();
            let named = faults.into_iter().map(|fault| (fault.pointer, fault.code));
            named.collect::<Vec<_>>()
        };
        let named = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
        assert_eq!(codes(br#"{"email":"#), named("#", "malformed"));
        assert_eq!(codes(b"[]"), named("#", "wrong_type"));
        assert_eq!(
            codes(br#"{"email":"x","age":1}"#),
            named("#/email", "no_at")
        );
        assert!(parse_line::<Person>(b"{\"email\":\"a@b\",\"age\":1}\r").is_ok());
    }

    #[test]
    fn a_right_body_becomes_the_domain_type() {
        let person = parse::<Person>(br#"{"email":"a@b","age":12}"#).unwrap();
        assert_eq!((person.email.as_str(), person.age), ("a@b", 12));
    }

    #[derive(Debug)]
    struct People(Vec<Person>);

    impl FromFields for People {
        fn from_fields(fields: &mut Fields) -> Option<Self> {
            fields.list("people", 1..=2).map(Self)
        }
    }

    /// Items that stand or fall one by one.
    #[derive(Debug)]
    struct Each(Vec<Result<Person, Vec<Fault>>>);

    impl FromFields for Each {
        fn from_fields(fields: &mut Fields) -> Option<Self> {
            fields.items("people", 1..=3).map(Self)
        }
    }

    fn pointers(faults: &[Fault]) -> Vec<&str> {
        faults.iter().map(|fault| &*fault.pointer).collect()
    }

    #[test]
    fn items_are_handed_out_each_with_its_faults() {
        let body = br#"{"people":[{"email":"a@b","age":1},{"email":"x","age":"1"},7]}"#;
        let Each(people) = parse::<Each>(body).unwrap();
        assert_eq!(people[0].as_ref().unwrap().age, 1);
        let faults = |index: usize| pointers(people[index].as_ref().unwrap_err());
        assert_eq!(faults(1), ["#/people/1/email", "#/people/1/age"]);
        assert_eq!(faults(2), ["#/people/2"]);
    }

    #[test]
    fn a_request_that_is_refused_as_a_whole_names_the_faults_of_its_items_too() {
        let body = br#"{"peoples":1,"people":[{"email":"x","age":1}]}"#;
        let error = parse::<Each>(body).unwrap_err();
        let named = pointers(&error.problem().errors);
        assert_eq!(named, ["#/peoples", "#/people/0/email"]);
    }

    #[test]
    fn of_many_unknown_fields_the_first_are_named_and_the_others_counted() {
        let fields = (0..40).map(|index| format!("\"{}{index}\":0", "f".repeat(1_000)));
        let fields = fields.collect::<Vec<_>>().join(",");
        let object = format!("{{\"email\":\"a@b\",\"age\":1,{fields}}}");
        for (body, place) in [
            (format!("{{\"people\":[{object}]}}"), "#/people/0"),
            (object, "#"),
        ] {
            let error = match place {
                "#" => parse::<Person>(body.as_bytes()).unwrap_err(),
                _ => parse::<People>(body.as_bytes()).unwrap_err(),
            };
            let faults = &error.problem().errors;
            assert_eq!(faults.len(), 17);
            assert!(faults.iter().all(|fault| fault.pointer.len() < 80));
            assert_eq!(faults[16].pointer, place);
            assert!(faults[16].detail.contains("24 fields more"));
        }
    }

    #[test]
    fn faults_inside_a_list_are_named_with_their_places() {
        let body = br#"{"people":[{"email":"a@b","age":1},{"email":"x","age":1,"a/b":0}]}"#;
        let error = parse::<People>(body).unwrap_err();
        let pointers: Vec<_> = error
            .problem()
            .errors
            .iter()
            .map(|fault| &fault.pointer)
            .collect();
        assert_eq!(pointers, ["#/people/1/email", "#/people/1/a~1b"]);
        let error = parse::<People>(br#"{"people":[7]}"#).unwrap_err();
        assert_eq!(error.problem().errors[0].pointer, "#/people/0");
        for wrong in [&br#"{"people":[]}"#[..], br#"{"people":[1,2,3]}"#] {
            assert_eq!(
                parse::<People>(wrong).unwrap_err().problem().errors[0].code,
                "out_of_range"
            );
        }
        assert_eq!(
            parse::<People>(br#"{"people":[{"email":"a@b","age":1}]}"#)
                .unwrap()
                .0
                .len(),
            1
        );
    }
}

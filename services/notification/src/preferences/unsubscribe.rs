//! `/unsubscribe`: an end to letters of one kind, by what stands in each of them (RFC 8058).
//!
//! Nobody signs in for it: the token says whose letters, and its end which. GET changes nothing,
//! because whatever looks at mail follows its links; a person presses the button, a mail program
//! posts by itself.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::Data;
use lyceum_chassis::http::{ApiError, Fields, FromFields, Query, Rule};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::domain::Topic;
use super::store;
use crate::state::State;

/// The query: whose letters, and which.
#[derive(Debug)]
pub(crate) struct Request {
    token: String,
    topics: Vec<Topic>,
}

/// The `token` as it is described.
struct WholeToken;

impl PartialSchema for WholeToken {
    fn schema() -> RefOr<Schema> {
        let mutable = Topic::ALL.into_iter().filter(|topic| topic.is_mutable());
        let topics: Vec<_> = mutable
            .map(|topic| topic.as_str().replace('.', r"\."))
            .collect();
        let topic = topics.join("|");
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .pattern(Some(format!(
                r"^[0-9A-Fa-f]{{32}}\.({topic})(,({topic}))*$"
            )))
            .into()
    }
}

impl ToSchema for WholeToken {}

#[derive(Debug, thiserror::Error)]
#[error("must be the token of a letter, whole")]
struct MalformedToken;

impl Rule for MalformedToken {
    fn code(&self) -> &'static str {
        "malformed_token"
    }
}

/// What stands in a letter about `topics` to the owner of `token`.
pub(crate) fn link(api_url: &str, token: &str, topics: &[Topic]) -> String {
    let topics: Vec<_> = topics.iter().map(|topic| topic.as_str()).collect();
    format!("{api_url}/unsubscribe?token={token}.{}", topics.join(","))
}

fn parse(text: &str) -> Option<Request> {
    let (token, topics) = text.split_once('.')?;
    let plain = token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    let named = |topic| Topic::named(topic).filter(|topic| topic.is_mutable());
    let topics = topics.split(',').map(named).collect::<Option<_>>()?;
    plain.then(|| Request {
        token: token.to_owned(),
        topics,
    })
}

impl FromFields for Request {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("token", |text: String| parse(&text).ok_or(MalformedToken))
    }
}

/// A page with a button that ends letters of one kind
#[utoipa::path(
    get,
    path = "/unsubscribe",
    tag = "preferences",
    params(("token" = inline(WholeToken), Query, description = "From the letter")),
    responses((status = 200, description = "Nothing is changed", body = String, content_type = "text/html")),
)]
pub(crate) async fn show_unsubscribe(Query(request): Query<Request>) -> HttpResponse {
    page(&format!(
        "<p>No more letters about <b>{}</b>?</p>\
         <form method=\"post\"><button>No more of these</button></form>",
        words(&request.topics)
    ))
}

/// End letters of one kind; again changes nothing
///
/// A token nobody has is answered alike: whoever tries some learns nothing.
#[utoipa::path(
    post,
    path = "/unsubscribe",
    tag = "preferences",
    params(("token" = inline(WholeToken), Query, description = "From the letter")),
    responses((status = 200, description = "None will be sent", body = String, content_type = "text/html")),
)]
pub(crate) async fn unsubscribe(
    Query(request): Query<Request>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    if let Some(user) = store::find_by_token(&state.database, &request.token).await? {
        for topic in &request.topics {
            store::mute(&state.database, user, *topic).await?;
        }
    }
    Ok(page(&format!(
        "<p>There will be no more letters about <b>{}</b>. You find everything in your inbox.</p>",
        words(&request.topics)
    )))
}

fn words(topics: &[Topic]) -> String {
    let word = |topic: &Topic| match topic {
        Topic::Account => "your account",
        Topic::Security => "the safety of your account",
        Topic::Enrolments => "your enrolments",
        Topic::Announcements => "announcements",
    };
    topics.iter().map(word).collect::<Vec<_>>().join(" and ")
}

fn page(body: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .body(format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>Lyceum</title></head>\
             <body>{body}</body></html>"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_back_and_a_security_topic_has_none() {
        let token = "0123456789abcdef0123456789abcdef";
        for topics in [
            &[Topic::Enrolments][..],
            &[Topic::Announcements, Topic::Enrolments],
        ] {
            let link = link("https://lyceum.test", token, topics);
            let query = link.split_once("?token=").unwrap().1;
            let request = parse(query).unwrap();
            assert_eq!((request.token.as_str(), &*request.topics), (token, topics));
        }
        for text in [
            String::new(),
            token.to_owned(),
            format!("{token}.mailed_link.requested"),
            format!("{token}.enrolment.created,mailed_link.requested"),
            format!("{token}.enrolment.created,"),
            format!("{token}0.enrolment.created"),
            format!("{}.enrolment.created", &token[1..]),
        ] {
            assert!(parse(&text).is_none(), "{text}");
        }
    }
}

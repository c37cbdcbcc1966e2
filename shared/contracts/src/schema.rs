//! What texts look like, for descriptions of an API: `#[schema(schema_with = schema::email)]`.
//!
//! The domains of the services decide; these patterns say the same as far as a pattern can.

use utoipa::openapi::Ref;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};

/// Characters that no line has: of control, and the two separators that break one.
const CONTROL: &str = r"\u0000-\u001f\u007f-\u009f\u2028\u2029";

fn text(longest: usize, pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .max_length(Some(longest))
        .pattern(Some(pattern))
}

/// An address of mail; spaces around it are dropped.
pub fn email() -> ObjectBuilder {
    let label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    let sign = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";
    // A full stop stands between two others. That full stops count among the 64 is not said here.
    let local = format!(r"{sign}(\.?{sign}){{0,63}}");
    text(254, &format!(r"^ *{local}@{label}(\.{label})* *$"))
}

/// The token of a mailed link: 32 bytes in URL-safe base64 without padding.
pub fn link_token() -> ObjectBuilder {
    // Of the last character's six bits two are left over, and nought.
    text(43, "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$").description(Some("From the letter"))
}

/// One line of up to `longest` characters, without space at either end.
fn line(longest: usize) -> ObjectBuilder {
    let end = format!(r"[^\s{CONTROL}]");
    text(longest, &format!("^{end}([^{CONTROL}]*{end})?$"))
}

/// A person's name: one line of 1 to 200 characters.
pub fn full_name() -> ObjectBuilder {
    line(200).description(Some("1 to 200 characters, one line"))
}

/// The title of a course: one line of 1 to 200 characters.
pub fn course_title() -> ObjectBuilder {
    line(200).description(Some(
        "1 to 200 characters, one line, no space at either end",
    ))
}

/// As [`course_description`], or null, which is none.
pub fn new_course_description() -> ObjectBuilder {
    nullable(course_description())
}

/// What a course says of itself: up to 10 000 characters of plain text.
pub fn course_description() -> ObjectBuilder {
    let plain = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$";
    text(10_000, plain).description(Some("Up to 10 000 characters"))
}

/// The title of an announcement: one line of 1 to 200 characters that is not blank.
pub fn title() -> ObjectBuilder {
    let title = format!(r"^[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*$");
    text(200, &title).description(Some("1 to 200 characters, one line"))
}

/// The text of an announcement: 1 to 5000 characters that are not all blank.
pub fn body_text() -> ObjectBuilder {
    let control = r"\u0000-\u0009\u000b-\u001f\u007f-\u009f";
    let body = format!(r"^[^{control}]*[^\s{control}][^{control}]*$");
    let description = "1 to 5000 characters; line feeds separate lines";
    text(5_000, &body).description(Some(description))
}

/// A path that begins with one slash, or an address with `https://`; up to 2000 characters.
pub fn link() -> ObjectBuilder {
    nullable(text(
        2_000,
        r"^(/([!-.0-\[\]-~][!-\[\]-~]*)?|https://[!-\[\]-~]+)$",
    ))
    .description(Some("A path, or an address with https"))
}

/// 1 to 64 letters, digits, `.`, `_`, `:` and `-`.
pub fn collapse_key() -> ObjectBuilder {
    nullable(text(64, "^[A-Za-z0-9._:-]+$"))
}

fn nullable(text: ObjectBuilder) -> ObjectBuilder {
    text.schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

/// The beginning of something, without characters of control.
pub fn search() -> ObjectBuilder {
    text(100, r"^[^\u0000-\u001f\u007f-\u009f]*$")
}

/// Roles, each once, or null; the description must also have [`Role`](crate::role::Role).
pub fn roles() -> ArrayBuilder {
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(Ref::from_schema_name("Role"))
        .min_items(Some(1))
        .unique_items(true)
}

/// Kinds of events, each once; the description must also have
/// [`EventKind`](crate::webhook::EventKind).
pub fn event_kinds() -> ArrayBuilder {
    ArrayBuilder::new()
        .items(Ref::from_schema_name("EventKind"))
        .min_items(Some(1))
        .unique_items(true)
        .description(Some("What messages tell of, each once"))
}

/// One of some words.
pub fn word<W: Into<String>>(words: impl IntoIterator<Item = W>) -> ObjectBuilder {
    let words = words.into_iter().map(Into::into);
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .enum_values(Some(words.collect::<Vec<String>>()))
}

//! What texts look like, for descriptions of an API: `#[schema(schema_with = schema::email)]`.
//!
//! The domains of the services decide; these patterns say the same as far as a pattern can.

use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

fn text(longest: usize, pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .max_length(Some(longest))
        .pattern(Some(pattern))
}

/// An address of mail; spaces around it are dropped.
pub fn email() -> ObjectBuilder {
    let label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    let local = "[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}";
    text(254, &format!(r"^ *{local}@{label}(\.{label})* *$"))
}

/// The token of a mailed link: 32 bytes in URL-safe base64 without padding.
pub fn link_token() -> ObjectBuilder {
    // Of the last character's six bits two are left over, and nought.
    text(43, "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$").description(Some("From the letter"))
}

/// One line of up to `longest` characters, without space at either end.
fn line(longest: usize) -> ObjectBuilder {
    let control = r"\u0000-\u001f\u007f-\u009f\u2028\u2029";
    let end = format!(r"[^\s{control}]");
    text(longest, &format!("^{end}([^{control}]*{end})?$"))
}

/// A person's name: one line of 1 to 200 characters.
pub fn full_name() -> ObjectBuilder {
    line(200).description(Some("1 to 200 characters, one line"))
}

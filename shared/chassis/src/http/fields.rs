//! Named values of a request, parsed straight into domain types, with all faults in one answer.
//!
//! A request type lists its fields once, by [`FromFields`]; each is taken out of the request by
//! name and parsed by the domain's own constructor. Faults are gathered instead of returned, and
//! a name that nobody took is a fault as well.

mod items;

use std::convert::Infallible;
use std::fmt::Display;

use lyceum_contracts::problem::Fault;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::cursor::List;

/// A rule of the domain that a value broke: the message is for people, the code for programs.
pub trait Rule: Display {
    /// A stable word such as `too_long`.
    fn code(&self) -> &'static str;
}

/// For a field whose type is its only rule.
impl Rule for Infallible {
    fn code(&self) -> &'static str {
        match *self {}
    }
}

/// A type that can be read from the named values of a body or a query.
pub trait FromFields: Sized {
    /// Takes every field it knows; `None` when one of them had a fault.
    fn from_fields(fields: &mut Fields) -> Option<Self>;
}

/// What a merge patch (RFC 7396) says of one field that cannot be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<T> {
    /// The field is absent.
    Keep,
    /// The field has a new value.
    Set(T),
}

/// Where the values stand, which decides how a fault points at one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Body,
    Query,
}

/// Named values on their way into a domain type.
#[derive(Debug)]
pub struct Fields {
    values: Map<String, Value>,
    origin: Origin,
    /// Where the object stands in the body: `""`, or `events/3/`.
    place: String,
    faults: Vec<Fault>,
    /// Those of items that were handed out, told here only if the request is refused as a whole.
    of_items: Vec<Fault>,
    /// The list a cursor among the values must be of.
    list: Option<List>,
}

/// How many unknown fields of one object are named, and how much of a name: an answer stays
/// within bounds whatever was sent.
const MAX_UNKNOWN: usize = 16;
const MAX_NAME: usize = 64;

impl Fields {
    pub(super) fn of_body(values: Map<String, Value>) -> Self {
        Self {
            values,
            origin: Origin::Body,
            place: String::new(),
            faults: Vec::new(),
            of_items: Vec::new(),
            list: None,
        }
    }

    /// `path` is whose parameters they are.
    pub(super) fn of_query(path: &str, values: Map<String, Value>) -> Self {
        let texts = || {
            values
                .iter()
                .filter_map(|(name, value)| Some((&**name, value.as_str()?)))
        };
        let list = values
            .contains_key("cursor")
            .then(|| List::new(path, texts()));
        Self {
            values,
            origin: Origin::Query,
            place: String::new(),
            faults: Vec::new(),
            of_items: Vec::new(),
            list,
        }
    }

    /// Reads `T` and gives it, or every fault of the request.
    pub(super) fn read<T: FromFields>(mut self) -> Result<T, Vec<Fault>> {
        let value = T::from_fields(&mut self);
        let unknown = std::mem::take(&mut self.values);
        for name in unknown.keys().take(MAX_UNKNOWN) {
            let name: String = name.chars().take(MAX_NAME).collect();
            self.fault(&name, "unknown_field", "is not a field of this request");
        }
        if let Some(more @ 1..) = unknown.len().checked_sub(MAX_UNKNOWN) {
            let pointer = format!("#/{}", self.place.trim_end_matches('/'));
            self.faults.push(Fault {
                pointer: pointer.trim_end_matches('/').to_owned(),
                detail: format!("has {more} fields more that are not of this request"),
                code: "unknown_field".to_owned(),
            });
        }
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => {
                self.faults.append(&mut self.of_items);
                Err(self.faults)
            }
        }
    }

    /// A field that must be there, parsed by `parse`.
    pub fn required<R, T, E>(
        &mut self,
        name: &str,
        parse: impl FnOnce(R) -> Result<T, E>,
    ) -> Option<T>
    where
        R: DeserializeOwned,
        E: Rule,
    {
        let Some(value) = self.values.remove(name) else {
            self.fault(name, "required", "is required");
            return None;
        };
        self.parsed(name, value, parse)
    }

    /// A field that may be absent or null. The outer `None` is a fault.
    pub fn optional<R, T, E>(
        &mut self,
        name: &str,
        parse: impl FnOnce(R) -> Result<T, E>,
    ) -> Option<Option<T>>
    where
        R: DeserializeOwned,
        E: Rule,
    {
        match self.values.remove(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => self.parsed(name, value, parse).map(Some),
        }
    }

    /// A field of a merge patch: absent keeps, a value sets, null is a fault.
    pub fn change<R, T, E>(
        &mut self,
        name: &str,
        parse: impl FnOnce(R) -> Result<T, E>,
    ) -> Option<Change<T>>
    where
        R: DeserializeOwned,
        E: Rule,
    {
        match self.values.remove(name) {
            None => Some(Change::Keep),
            Some(Value::Null) => {
                self.fault(name, "not_nullable", "cannot be removed");
                None
            }
            Some(value) => self.parsed(name, value, parse).map(Change::Set),
        }
    }

    /// Whether a field is there that nobody has taken yet.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The list that a cursor of this request must be of; for whoever reads the cursor.
    pub(super) fn cursor_list(&mut self) -> Option<List> {
        self.list.take()
    }

    /// Every field that nobody has taken yet, as it is.
    pub(crate) fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.values)
    }

    /// Records that the field `name` cannot be as it is.
    pub fn fault(&mut self, name: &str, code: &str, detail: impl Into<String>) {
        let pointer = match self.origin {
            Origin::Body => format!("#/{}{}", self.place, escape(name)),
            Origin::Query => format!("?{name}"),
        };
        self.faults.push(Fault {
            pointer,
            detail: detail.into(),
            code: code.to_owned(),
        });
    }

    fn parsed<R, T, E>(
        &mut self,
        name: &str,
        value: Value,
        parse: impl FnOnce(R) -> Result<T, E>,
    ) -> Option<T>
    where
        R: DeserializeOwned,
        E: Rule,
    {
        let raw = match self.raw::<R>(value) {
            Ok(raw) => raw,
            Err(detail) => {
                self.fault(name, "wrong_type", detail);
                return None;
            }
        };
        match parse(raw) {
            Ok(value) => Some(value),
            Err(rule) => {
                self.fault(name, rule.code(), rule.to_string());
                None
            }
        }
    }

    /// The value as the kind the domain's constructor takes.
    ///
    /// All values of a query are text; where none is wanted, it is read as JSON would write it.
    fn raw<R: DeserializeOwned>(&self, value: Value) -> Result<R, String> {
        let written = match (self.origin, &value) {
            (Origin::Query, Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        serde_json::from_value(value).or_else(|error| {
            let number = written.and_then(|text| serde_json::from_str(&text).ok());
            number.ok_or_else(|| expectation(&error))
        })
    }
}

/// A name as one step of a JSON pointer (RFC 6901).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Serde's "invalid type: string \"12\", expected u32" without the value, which may be personal.
pub(crate) fn expectation(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rsplit_once("expected ") {
        Some((_, wanted)) => format!("must be {wanted}"),
        None => "has the wrong type".to_owned(),
    }
}

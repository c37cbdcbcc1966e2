//! Bodies of requests hold the fields they name and no others, and are never `null`, which schemas
//! must say.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

/// Closes every object that can stand in the body of one of `operations`.
pub(super) fn close_bodies<'a>(
    schemas: &mut BTreeMap<String, RefOr<Schema>>,
    operations: impl Iterator<Item = &'a mut Operation>,
) {
    let mut named = BTreeSet::new();
    for body in operations.filter_map(|operation| operation.request_body.as_mut()) {
        let RefOr::T(body) = body else { continue };
        for content in body.content.values_mut() {
            let RefOr::T(content) = content else { continue };
            if let Some(schema) = &mut content.schema {
                refuse_null(schema);
                close(schema, &mut named);
            }
        }
    }
    // Each name once, however they refer to one another.
    let mut closed = BTreeSet::new();
    while let Some(name) = named.pop_first() {
        if let Some(schema) = schemas.get_mut(&name) {
            close(schema, &mut named);
        }
        closed.insert(name);
        named.retain(|name| !closed.contains(name));
    }
}

/// A body that may be left out, described as `Option<T>`, may still not be `null`.
fn refuse_null(body: &mut RefOr<Schema>) {
    let RefOr::T(Schema::OneOf(either)) = body else {
        return;
    };
    let null = SchemaType::new(Type::Null);
    let is_null = |schema: &RefOr<Schema>| matches!(schema, RefOr::T(Schema::Object(it)) if it.schema_type == null);
    either.items.retain(|schema| !is_null(schema));
    if let [only] = &either.items[..] {
        *body = only.clone();
    }
}

/// Closes what stands here, and gathers the names of what is referred to.
fn close(schema: &mut RefOr<Schema>, named: &mut BTreeSet<String>) {
    let schema = match schema {
        RefOr::T(schema) => schema,
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next();
            named.extend(name.map(str::to_owned));
            return;
        }
    };
    match schema {
        Schema::Object(object) => {
            for property in object.properties.values_mut() {
                close(property, named);
            }
            if !object.properties.is_empty() && object.additional_properties.is_none() {
                let none = AdditionalProperties::FreeForm(false);
                object.additional_properties = Some(Box::new(none));
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(item) = &mut array.items {
                close(item, named);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(|item| close(item, named)),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(|item| close(item, named)),
        // Parts of one object: closing one would shut the others out.
        _ => {}
    }
}

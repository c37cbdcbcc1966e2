//! Columns, indexes and keys for migrations, the same on both engines.
//!
//! Migrations use these instead of spelling types and names, so that every table keeps ids as
//! 64-bit integers, times as UTC microseconds, and constraints under the names that
//! [`super::violated_constraint`] answers. Write the tables of a service as plain strings:
//!
//! ```
//! use lyceum_chassis::database::columns;
//! use sea_orm_migration::prelude::*;
//!
//! let users = Table::create()
//!     .table("users")
//!     .col(columns::id())
//!     .col(columns::text("email"))
//!     .col(columns::timestamp("created_at"))
//!     .take();
//! let email = columns::unique("users", &["email"]);
//! # assert!(email.to_string(sea_orm_migration::sea_query::SqliteQueryBuilder).contains("users_email_key"));
//! # assert!(users.to_string(sea_orm_migration::sea_query::PostgresQueryBuilder).contains("bigint"));
//! ```
//!
//! Defaults for times stay out of the schema: a command passes `clock::now()`, and
//! `CURRENT_TIMESTAMP` on `SQLite` is text of another shape.

use sea_orm_migration::prelude::{
    ColumnDef, ForeignKey, ForeignKeyAction, ForeignKeyCreateStatement, Index, IndexCreateStatement,
};

/// `id`: a 64-bit primary key the database counts up; never reused, gaps are possible.
pub fn id() -> ColumnDef {
    integer("id").auto_increment().primary_key().take()
}

/// A 64-bit integer: an id of another table or service, a count, a position, a version.
pub fn integer(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// A 64-bit integer or nothing.
pub fn optional_integer(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}

/// A double, for shares between 0 and 1.
pub fn real(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).double().not_null().take()
}

/// Text of any length; the domain's newtypes limit it.
pub fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

/// Text or nothing.
pub fn optional_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().null().take()
}

/// True or false.
pub fn boolean(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}

/// A JSON document: `jsonb` on Postgres, text on `SQLite`. It is read and written whole.
pub fn json(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).json_binary().not_null().take()
}

/// A JSON document or nothing.
pub fn optional_json(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).json_binary().null().take()
}

/// A moment in UTC, to the microsecond: `timestamptz` on Postgres, text that sorts on `SQLite`.
pub fn timestamp(name: &'static str) -> ColumnDef {
    ColumnDef::new(name)
        .timestamp_with_time_zone()
        .not_null()
        .take()
}

/// A moment in UTC, or never.
pub fn optional_timestamp(name: &'static str) -> ColumnDef {
    ColumnDef::new(name)
        .timestamp_with_time_zone()
        .null()
        .take()
}

/// A unique index named `{table}_{columns}_key`.
pub fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    named_index(table, columns, unique_name(table, columns))
        .unique()
        .take()
}

/// An index named `{table}_{columns}_idx`.
pub fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    named_index(table, columns, format!("{table}_{}_idx", columns.join("_")))
}

/// A foreign key to `id` of `parent`, named `{table}_{column}_fkey`, for
/// `TableCreateStatement::foreign_key`: `SQLite` cannot add one later.
pub fn foreign_key(
    table: &'static str,
    column: &'static str,
    parent: &'static str,
    on_delete: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_{column}_fkey"))
        .from(table, column)
        .to(parent, "id")
        .on_delete(on_delete)
        .take()
}

/// How a unique index over these columns is called. Postgres cuts names at 63 bytes.
pub(super) fn unique_name(table: &str, columns: &[&str]) -> String {
    format!("{table}_{}_key", columns.join("_"))
}

fn named_index(
    table: &'static str,
    columns: &[&'static str],
    name: String,
) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

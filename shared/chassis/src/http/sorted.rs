//! A list that its caller may sort: `sort=-created_at`, and cursors that work with any order.
//!
//! Rows are ordered by the key that was asked for and by their id within it, both in the same
//! direction, so that the order is whole and one index on (key, id) serves both directions. A page
//! begins after a (key, id), which the database compares as one value: no row that is there
//! throughout is left out or given twice, whatever comes and goes meanwhile.

use std::fmt::{self, Debug};
use std::marker::PhantomData;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ColumnType, EntityTrait, ExprTrait, IdenStatic, IntoSimpleExpr, Order,
    QueryFilter, QueryOrder, QuerySelect, Select, Value,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::fields::{Fields, FromFields, Rule};
use super::page::{Window, WindowRule};

/// What a list can be sorted by.
pub trait SortField: Copy + Debug + Sized + 'static {
    /// The rows.
    type Entity: EntityTrait;

    /// Each by its name in a query; the first is the order of a list unless another is asked for.
    const FIELDS: &'static [(&'static str, Self)];
    /// What settles ties: unique, and the primary key as a rule.
    const ID: <Self::Entity as EntityTrait>::Column;

    /// The column to sort by, [`Self::ID`] or one of times or of texts that sort byte by byte;
    /// never one that may be null.
    fn column(self) -> <Self::Entity as EntityTrait>::Column;
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<F> {
    /// By what.
    pub by: F,
    /// The other way round: `-` before the name.
    pub descending: bool,
}

/// Where a row stands in a sorted list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    key: Option<Key>,
    id: i64,
}

/// What a row is sorted by, besides its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Key {
    #[serde(rename = "t")]
    Instant(#[serde(with = "time::serde::rfc3339")] OffsetDateTime),
    #[serde(rename = "s")]
    Text(String),
}

impl Position {
    /// Of a row in a list by id.
    pub const fn of_id(id: i64) -> Self {
        Self { key: None, id }
    }

    /// Of a row in a list by a time.
    pub const fn of_instant(at: OffsetDateTime, id: i64) -> Self {
        let key = Some(Key::Instant(at));
        Self { key, id }
    }

    /// Of a row in a list by a text.
    pub fn of_text(text: impl Into<String>, id: i64) -> Self {
        let key = Some(Key::Text(text.into()));
        Self { key, id }
    }
}

/// Which part of a list is asked for, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sorted<F> {
    /// The order.
    pub sort: Sort<F>,
    /// The part.
    pub window: Window<Position>,
}

/// The text names no order of this list.
struct SortRule<F>(PhantomData<F>);

impl<F: SortField> fmt::Display for SortRule<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be one of ")?;
        for (index, (name, _)) in F::FIELDS.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}, -{name}")?;
        }
        Ok(())
    }
}

impl<F: SortField> Rule for SortRule<F> {
    fn code(&self) -> &'static str {
        "unknown_order"
    }
}

impl<F: SortField> Sort<F> {
    /// Reads `name` or `-name`.
    fn parse(text: &str) -> Option<Self> {
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let (_, by) = F::FIELDS.iter().find(|(known, _)| *known == name)?;
        Some(Self {
            by: *by,
            descending,
        })
    }

    /// Whether a position, which anybody can make up, is one of this order. A database refuses
    /// to compare a time with a text, and Postgres a text with a zero byte.
    fn has(self, position: &Position) -> bool {
        let column = self.by.column();
        if is_id::<F>(column) {
            return position.key.is_none();
        }
        match (&position.key, column.def().get_column_type()) {
            (Some(Key::Instant(_)), ColumnType::TimestampWithTimeZone) => true,
            (Some(Key::Text(text)), ColumnType::String(_) | ColumnType::Text) => {
                !text.contains('\0')
            }
            _ => false,
        }
    }
}

fn is_id<F: SortField>(column: <F::Entity as EntityTrait>::Column) -> bool {
    column.as_str() == F::ID.as_str()
}

impl<F: SortField> FromFields for Sorted<F> {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let sort = fields.optional("sort", |text: String| {
            Sort::parse(&text).ok_or(SortRule::<F>(PhantomData))
        });
        let window = Window::from_fields(fields);
        let (_, by) = F::FIELDS.first()?;
        let first = Sort {
            by: *by,
            descending: false,
        };
        let (sort, window): (_, Window<Position>) = (sort?.unwrap_or(first), window?);
        if window.after.as_ref().is_some_and(|after| !sort.has(after)) {
            let rule = WindowRule::Cursor;
            fields.fault("cursor", rule.code(), rule.to_string());
            return None;
        }
        Some(Self { sort, window })
    }
}

impl<F: SortField> Sorted<F> {
    /// The rows of `chosen` that were asked for, in order, and one row more.
    pub fn select(&self, chosen: Select<F::Entity>) -> Select<F::Entity> {
        let Window { skip, after, .. } = &self.window;
        let order = if self.sort.descending {
            Order::Desc
        } else {
            Order::Asc
        };
        let column = self.sort.by.column();
        let mut rows = chosen;
        if let Some(after) = after {
            rows = rows.filter(self.beyond(after));
        }
        if !is_id::<F>(column) {
            rows = rows.order_by(column, order.clone());
        }
        rows.order_by(F::ID, order)
            .offset((*skip > 0).then_some(*skip))
            .limit(self.window.rows())
    }

    /// Row values are compared as their first different part is (SQL-92), and by one look-up in an
    /// index on all of them.
    fn beyond(&self, after: &Position) -> Expr {
        let id = (F::ID.into_simple_expr(), Expr::val(after.id));
        let (row, bound) = match &after.key {
            None => id,
            Some(key) => {
                let key = match key.clone() {
                    Key::Instant(at) => Value::from(at),
                    Key::Text(text) => Value::from(text),
                };
                let column = self.sort.by.column().into_simple_expr();
                (
                    Expr::tuple([column, id.0]),
                    Expr::tuple([Expr::val(key), id.1]),
                )
            }
        };
        if self.sort.descending {
            row.lt(bound)
        } else {
            row.gt(bound)
        }
    }
}

//! Many rows in one statement, with one parameter per column and not one per value.
//!
//! `VALUES ($1, $2), ($3, $4), …` has a text of its own for every number of rows, so that nothing
//! prepared is ever used again, and ends at 65 535 parameters on Postgres and 32 766 on `SQLite`.
//! Here the rows travel whole: on Postgres each column as an array that is unnested, on `SQLite`
//! all of them as one JSON document. The text of the statement depends on neither rows nor values.

use std::borrow::Cow;

use sea_orm::sea_query::Value;
use sea_orm::{DbBackend, DbErr, Statement};
use time::OffsetDateTime;

use super::instant;

/// What a column of [`Rows`] holds; any value in it may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A 64-bit integer.
    Integer,
    /// A JSON document as text, for a column made by [`super::columns::json`].
    Json,
    /// A moment, for a column made by [`super::columns::timestamp`].
    Instant,
}

/// One value of [`Rows`]; what is only written down once more need not be owned.
#[derive(Clone, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing, in a column of any kind.
    Null,
    /// For [`Kind::Text`] and [`Kind::Json`].
    Text(Cow<'a, str>),
    /// For [`Kind::Integer`].
    Integer(i64),
    /// For [`Kind::Instant`].
    Instant(OffsetDateTime),
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<OffsetDateTime> for Cell<'_> {
    fn from(instant: OffsetDateTime) -> Self {
        Self::Instant(instant)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Rows of `N` named columns on their way into a statement, which reads them as a table with one
/// column more: `place`, rising in the order they were given.
///
/// ```
/// use lyceum_chassis::database::{Kind, Rows};
///
/// let topics = Rows::new([("name", Kind::Text)], ["Logic", "Rhetoric"].map(|name| [name.into()]));
/// # let backend = sea_orm::DbBackend::Postgres;
/// let statement = topics.statement(backend, [], |rows| {
///     format!("INSERT INTO topics (name) SELECT name FROM {rows} ORDER BY place")
/// })?;
/// # Ok::<(), sea_orm::DbErr>(())
/// ```
#[derive(Clone)]
pub struct Rows<'a, const N: usize> {
    columns: [(&'static str, Kind); N],
    rows: Vec<[Cell<'a>; N]>,
}

impl<'a, const N: usize> Rows<'a, N> {
    /// Takes the rows.
    pub fn new(
        columns: [(&'static str, Kind); N],
        rows: impl IntoIterator<Item = [Cell<'a>; N]>,
    ) -> Self {
        let rows = rows.into_iter().collect();
        Self { columns, rows }
    }

    /// The statement that `sql` makes of the words by which it reads from the rows, with
    /// `constants` as its parameters `$1`, `$2` and so on.
    ///
    /// An `INSERT … SELECT … FROM {rows}` with `ON CONFLICT` needs a `WHERE` before that, if only
    /// `WHERE true`: `SQLite` takes `ON` for the rest of a join otherwise.
    ///
    /// # Errors
    /// When a value is not of its column's kind.
    pub fn statement(
        &self,
        backend: DbBackend,
        constants: impl IntoIterator<Item = Value>,
        sql: impl FnOnce(&str) -> String,
    ) -> Result<Statement, DbErr> {
        let mut values: Vec<Value> = constants.into_iter().collect();
        let first = values.len() + 1;
        let source = if backend == DbBackend::Postgres {
            for (index, column) in self.columns.iter().enumerate() {
                values.push(self.array(index, column)?.into());
            }
            self.unnested(first)
        } else {
            values.push(self.document()?.into());
            self.read_out(first)
        };
        let sql = sql(&source);
        Ok(Statement::from_sql_and_values(backend, sql, values))
    }

    /// `(SELECT name, size, place FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY
    /// AS given (name, size, place)) AS given`
    fn unnested(&self, first: usize) -> String {
        let (mut read, mut arrays, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for ((name, kind), place) in self.columns.iter().zip(first..) {
            let (item, column) = match kind {
                Kind::Text => ("text", (*name).to_owned()),
                Kind::Integer => ("bigint", (*name).to_owned()),
                // An array of documents takes Postgres three times as long to read.
                Kind::Json => ("text", format!("{name}::jsonb AS {name}")),
                Kind::Instant => ("timestamptz", (*name).to_owned()),
            };
            read.push(column);
            arrays.push(format!("${place}::{item}[]"));
            names.push(*name);
        }
        let (read, arrays, names) = (read.join(", "), arrays.join(", "), names.join(", "));
        format!(
            "(SELECT {read}, place FROM unnest({arrays}) WITH ORDINALITY AS given ({names}, place)) \
             AS given"
        )
    }

    /// `(SELECT key AS place, value ->> 0 AS name, … FROM json_each($2)) AS given`
    fn read_out(&self, first: usize) -> String {
        let names = self.columns.iter().enumerate();
        let columns = names.map(|(index, (name, _))| format!(", value ->> {index} AS {name}"));
        let columns: String = columns.collect();
        format!("(SELECT key AS place{columns} FROM json_each(${first})) AS given")
    }

    /// One column as Postgres writes an array: `{"Logic",NULL}`. As text, because a bound array
    /// cannot hold a null.
    fn array(&self, index: usize, column: &(&'static str, Kind)) -> Result<String, DbErr> {
        let mut array = String::with_capacity(self.rows.len() * 32);
        array.push('{');
        for (place, row) in self.rows.iter().enumerate() {
            if place > 0 {
                array.push(',');
            }
            match checked(&row[index], *column)? {
                Cell::Null => array.push_str("NULL"),
                Cell::Integer(number) => array.push_str(&number.to_string()),
                Cell::Text(text) => quote(&mut array, text),
                Cell::Instant(instant) => quote(&mut array, &instant::text(*instant)?),
            }
        }
        array.push('}');
        Ok(array)
    }

    /// All rows as `[["Logic",1],[null,2]]`.
    fn document(&self) -> Result<String, DbErr> {
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let mut cells = Vec::with_capacity(N);
            for (cell, column) in row.iter().zip(self.columns) {
                cells.push(match checked(cell, column)? {
                    Cell::Null => serde_json::Value::Null,
                    Cell::Integer(number) => (*number).into(),
                    Cell::Text(text) => (&**text).into(),
                    Cell::Instant(instant) => instant::text(*instant)?.into(),
                });
            }
            rows.push(cells);
        }
        serde_json::to_string(&rows).map_err(|error| DbErr::Json(error.to_string()))
    }
}

/// Values may be personal, and stay out of whatever prints this.
impl<const N: usize> std::fmt::Debug for Rows<'_, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows")
            .field("columns", &self.columns)
            .field("rows", &self.rows.len())
            .finish()
    }
}

/// The cell, if it is of its column's kind.
fn checked<'c, 'a>(
    cell: &'c Cell<'a>,
    (name, kind): (&'static str, Kind),
) -> Result<&'c Cell<'a>, DbErr> {
    match (cell, kind) {
        (Cell::Null, _)
        | (Cell::Text(_), Kind::Text | Kind::Json)
        | (Cell::Integer(_), Kind::Integer)
        | (Cell::Instant(_), Kind::Instant) => Ok(cell),
        _ => {
            let reason = format!("a value of the column {name} is not of the kind {kind:?}");
            Err(DbErr::Type(reason))
        }
    }
}

/// An item of an array, quoted so that nothing in it means anything.
fn quote(array: &mut String, text: &str) {
    array.push('"');
    let mut rest = text;
    while let Some(special) = rest.find(['"', '\\']) {
        let (plain, from) = rest.split_at(special);
        // One byte each.
        let (special, after) = from.split_at(1);
        array.extend([plain, "\\", special]);
        rest = after;
    }
    array.push_str(rest);
    array.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics<'a>(names: &[Option<&'a str>]) -> Rows<'a, 2> {
        let rows = names.iter().zip(1_i64..);
        Rows::new(
            [("name", Kind::Text), ("size", Kind::Integer)],
            rows.map(|(name, size)| [(*name).into(), size.into()]),
        )
    }

    fn sql(rows: &Rows<'_, 2>, backend: DbBackend) -> String {
        let made = rows.statement(backend, [7_i64.into()], |rows| {
            format!("SELECT * FROM {rows}")
        });
        made.unwrap().sql
    }

    #[test]
    fn the_text_of_a_statement_does_not_depend_on_the_rows() {
        for backend in [DbBackend::Postgres, DbBackend::Sqlite] {
            let few = sql(&topics(&[None]), backend);
            assert_eq!(few, sql(&topics(&[Some("a"); 100]), backend));
        }
    }

    #[test]
    fn parameters_stand_behind_the_constants() {
        assert_eq!(
            sql(&topics(&[]), DbBackend::Postgres),
            "SELECT * FROM (SELECT name, size, place FROM unnest($2::text[], $3::bigint[]) \
             WITH ORDINALITY AS given (name, size, place)) AS given"
        );
        assert_eq!(
            sql(&topics(&[]), DbBackend::Sqlite),
            "SELECT * FROM (SELECT key AS place, value ->> 0 AS name, value ->> 1 AS size FROM json_each($2)) AS given"
        );
    }

    #[test]
    fn a_value_of_another_kind_is_refused_and_not_shown() {
        let rows = Rows::new([("name", Kind::Text)], [[7_i64.into()]]);
        for backend in [DbBackend::Postgres, DbBackend::Sqlite] {
            let refused = rows.statement(backend, [], str::to_owned).unwrap_err();
            assert!(refused.to_string().contains("the column name"), "{refused}");
            assert!(!refused.to_string().contains('7'), "{refused}");
        }
        assert!(!format!("{:?}", topics(&[Some("secret")])).contains("secret"));
    }
}

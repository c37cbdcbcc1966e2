//! Many rows in one statement arrive as they were sent.

use lyceum_chassis::database::{Cell, Database, Kind, Rows};
use sea_orm::{ConnectionTrait, QueryResult};
use time::OffsetDateTime;
use time::macros::datetime;

use crate::support::{database, scalar};

/// What the database gives back of these texts and numbers, in their order.
async fn round_trip(
    database: &Database,
    given: &[(Option<String>, Option<i64>)],
) -> Vec<(Option<String>, Option<i64>)> {
    let rows = given.iter();
    let rows = Rows::new(
        [("word", Kind::Text), ("number", Kind::Integer)],
        rows.map(|(word, number)| [word.clone().into(), (*number).into()]),
    );
    let sql = |rows: &str| format!("SELECT word, number FROM {rows} ORDER BY place");
    let statement = rows.statement(database.get_database_backend(), [], sql);
    let read = |row: QueryResult| {
        (
            row.try_get("", "word").unwrap(),
            row.try_get("", "number").unwrap(),
        )
    };
    let rows = database.query_all_raw(statement.unwrap()).await.unwrap();
    rows.into_iter().map(read).collect()
}

#[tokio::test]
async fn no_text_means_anything_and_null_is_not_a_word() {
    let (database, _place) = database().await;
    let words = [
        "",
        " ",
        "NULL",
        "null",
        "{a,b}",
        "{}",
        "a,b",
        "\"",
        "\\",
        "\\\"",
        "'; DROP TABLE notes; --",
        "line\nbreak\ttab\r",
        "Zo\u{eb} 🐎",
        "$1",
        "[1]",
        "\u{1}",
        "\u{7f}",
        "  padded  ",
    ];
    let words = words.map(|word| Some(word.to_owned())).into_iter();
    let numbers = [Some(i64::MIN), None, Some(i64::MAX), Some(0)]
        .into_iter()
        .cycle();
    let given: Vec<_> = words.chain([None]).zip(numbers).collect();
    assert_eq!(round_trip(&database, &given).await, given);
    assert_eq!(round_trip(&database, &[]).await, []);
}

#[tokio::test]
async fn rows_may_be_more_than_a_statement_has_parameters() {
    let (database, _place) = database().await;
    let given: Vec<_> = (0..70_000_i64)
        .map(|number| (Some(format!("w{number}")), Some(number)))
        .collect();
    assert_eq!(round_trip(&database, &given).await, given);
}

#[tokio::test]
async fn of_rows_that_are_there_already_the_others_are_inserted_in_their_order() {
    let (database, _place) = database().await;
    let insert = async |names: [&'static str; 3]| {
        let rows = Rows::new([("name", Kind::Text)], names.map(|name| [name.into()]));
        let statement = rows.statement(database.get_database_backend(), [], |rows| {
            format!(
                "INSERT INTO topics (name) SELECT name FROM {rows} WHERE true ORDER BY place \
                 ON CONFLICT (name) DO NOTHING RETURNING name"
            )
        });
        let rows = database.query_all_raw(statement.unwrap()).await.unwrap();
        let mut names: Vec<String> = rows
            .iter()
            .map(|row| row.try_get("", "name").unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        insert(["logic", "ethics", "rhetoric"]).await,
        ["ethics", "logic", "rhetoric"]
    );
    assert_eq!(insert(["music", "logic", "music"]).await, ["music"]);
    let order = "SELECT min(id) FROM topics WHERE name = ";
    let mut ids = Vec::new();
    for name in ["logic", "ethics", "rhetoric", "music"] {
        ids.push(scalar::<i64>(&database, &format!("{order}'{name}'")).await);
    }
    assert!(ids.is_sorted(), "{ids:?}");
}

#[tokio::test]
async fn documents_are_kept_as_documents() {
    let (database, _place) = database().await;
    let document = serde_json::json!({"a": [1, "\"\\{},"], "b": null});
    let text = document.to_string();
    let rows = Rows::new([("document", Kind::Json)], [[text.into()]]);
    let sql = |rows: &str| format!("SELECT document FROM {rows}");
    let statement = rows.statement(database.get_database_backend(), [], sql);
    let row = database
        .query_one_raw(statement.unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        row.try_get::<serde_json::Value>("", "document").unwrap(),
        document
    );
}

#[tokio::test]
async fn moments_are_kept_as_if_each_were_written_alone() {
    let (database, _place) = database().await;
    let moment = datetime!(2026-01-02 03:04:05.5 +2);
    let rows = [[Some(moment).into()], [Cell::Null]];
    let rows = Rows::new([("moment", Kind::Instant)], rows);
    let sql = |rows: &str| format!("SELECT moment, moment = $1 FROM {rows} ORDER BY place");
    let backend = database.get_database_backend();
    let statement = rows.statement(backend, [moment.into()], sql).unwrap();
    let read = |row: &QueryResult| {
        let moment: Option<OffsetDateTime> = row.try_get_by_index(0).unwrap();
        let is_same: Option<bool> = row.try_get_by_index(1).unwrap();
        (moment, is_same)
    };
    let rows = database.query_all_raw(statement).await.unwrap();
    let rows: Vec<_> = rows.iter().map(read).collect();
    assert_eq!(rows, [(Some(moment), Some(true)), (None, None)]);
}

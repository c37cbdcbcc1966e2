//! A violated constraint has one name, whichever engine reports it.

use lyceum_chassis::database::{FOREIGN_KEY, is_unavailable, violated_constraint};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, ModelTrait};

use crate::support::{database, first_note, insert_note, insert_topic, note, topic};

fn constraint<T: std::fmt::Debug>(result: Result<T, DbErr>) -> Option<String> {
    let error = result.unwrap_err();
    assert!(!is_unavailable(&error), "{error}");
    violated_constraint(&error)
}

#[tokio::test]
async fn every_kind_of_constraint_is_known_by_its_name() {
    let (database, _place) = database().await;
    let topic_id = insert_topic(&database, "logic").await.unwrap();
    insert_note(&database, first_note(topic_id)).await.unwrap();

    let same_name = insert_topic(&database, "logic").await;
    assert_eq!(constraint(same_name).as_deref(), Some("topics_name_key"));

    let same_place = note::Model {
        body: "other".to_owned(),
        ..first_note(topic_id)
    };
    let same_place = insert_note(&database, same_place).await;
    assert_eq!(constraint(same_place).as_deref(), Some("notes_pkey"));

    let same_body = note::Model {
        position: 2,
        ..first_note(topic_id)
    };
    let same_body = insert_note(&database, same_body).await;
    assert_eq!(
        constraint(same_body).as_deref(),
        Some("notes_topic_id_body_key")
    );

    let no_position = note::Model {
        position: 0,
        body: "other".to_owned(),
        ..first_note(topic_id)
    };
    let no_position = insert_note(&database, no_position).await;
    assert_eq!(
        constraint(no_position).as_deref(),
        Some("notes_position_check")
    );

    let no_topic = insert_note(&database, first_note(topic_id + 1)).await;
    assert_eq!(constraint(no_topic).as_deref(), Some(FOREIGN_KEY));

    let topic = topic::Entity::find_by_id(topic_id)
        .one(&database)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        constraint(topic.delete(&database).await).as_deref(),
        Some(FOREIGN_KEY)
    );
}

#[tokio::test]
async fn a_wrong_statement_violates_no_constraint() {
    let (database, _place) = database().await;
    let missing = database.execute_unprepared("DELETE FROM nowhere").await;
    assert_eq!(constraint(missing), None);
    let null = database
        .execute_unprepared("INSERT INTO topics (name) VALUES (NULL)")
        .await;
    assert_eq!(constraint(null), None);
}

//! The good hours: from signing up to being told.

use lyceum_contracts::notification::{CourseNews, Notification};
use lyceum_testing::PATIENCE;
use lyceum_testing::eventually;
use serde_json::json;

use crate::platform::Platform;

#[tokio::test]
async fn who_enrols_is_told_so_live_and_sees_it_in_the_overview() {
    let platform = Platform::start().await;
    let ines = platform.people.instructor("Ines").await;
    let course = platform
        .people
        .published_course(&ines, "Logic for poets")
        .await;
    let ada = platform.people.register("Ada").await;

    let mut stream = platform
        .notification
        .api
        .sse("/sse/notifications", &ada.token, None)
        .await;
    let greeting = stream.next_event(PATIENCE).await;
    assert_eq!(greeting.event.as_deref(), Some("sync"));

    platform.people.enrol(&ada, course).await;
    let told = stream.next_event(PATIENCE).await;
    assert_eq!(
        (told.event.as_deref(), told.id.as_deref()),
        (Some("notification"), Some("1"))
    );
    let notification: Notification = serde_json::from_str(&told.data.unwrap()).unwrap();
    assert_eq!(notification.kind, "enrolment.created");
    assert!(
        notification.title.contains("Logic for poets"),
        "{}",
        notification.title
    );

    let overview = platform.people.overview(&ada).await;
    let titles: Vec<_> = overview
        .courses
        .iter()
        .map(|course| course.title.as_str())
        .collect();
    assert_eq!(titles, ["Logic for poets"]);
    assert_eq!(overview.stats.map(|stats| stats.enrolled), Some(1));
    assert_eq!((overview.unread, overview.degraded), (Some(1), Vec::new()));
}

#[tokio::test]
async fn who_is_in_a_course_hears_of_its_changes_until_the_place_is_given_up() {
    let platform = Platform::start().await;
    let ines = platform.people.instructor("Ines").await;
    let course = platform.people.published_course(&ines, "Logic").await;
    let ada = platform.people.register("Ada").await;
    let (live, courses) = (&platform.notification.api, &platform.course.api);
    let path = format!("/sse/courses/{course}");
    live.get(&path).bearer(&ada.token).send().await.expect(403);

    let enrolment = platform.people.enrol(&ada, course).await;
    let opened = eventually("let in", async || {
        let status = live.get(&path).bearer(&ada.token).status().await;
        (status == 200).then_some(())
    });
    opened.await;
    let mut stream = live.sse(&path, &ada.token, None).await;
    let greeting = stream.next_event(PATIENCE).await;
    assert_eq!(greeting.event.as_deref(), Some("sync"));
    let one = format!("/courses/{}", enrolment.course_id);
    let change = courses.patch(&one).bearer(&ines.token);
    let change = change
        .header("if-match", "*")
        .json(&json!({"title": "Sets"}));
    change.send().await.expect(200);
    let told = stream.next_event(PATIENCE).await;
    assert_eq!(told.event.as_deref(), Some("news"));
    let news: CourseNews = serde_json::from_str(&told.data.unwrap()).unwrap();
    assert_eq!((news.seq, news.kind.as_str()), (1, "course.updated"));
    assert_eq!(news.data["title"], "Sets");

    let places = format!("{one}/enrolments");
    let gives_up = courses.delete(&places).bearer(&ada.token);
    gives_up.send().await.expect(204);
    let bye = stream.next_event(PATIENCE).await;
    assert_eq!(bye.event.as_deref(), Some("bye"));
    assert_eq!(bye.data.as_deref(), Some(r#"{"reason":"not_a_member"}"#));
    assert_eq!(stream.next(PATIENCE).await, None);
}

#[tokio::test]
async fn a_second_start_finds_everything_again() {
    let mut platform = Platform::start().await;
    let ines = platform.people.instructor("Ines").await;
    let course = platform.people.published_course(&ines, "Logic").await;
    let ada = platform.people.register("Ada").await;
    platform.people.enrol(&ada, course).await;
    eventually("told", async || {
        (platform.people.overview(&ada).await.unread == Some(1)).then_some(())
    })
    .await;
    for member in [
        &mut platform.user,
        &mut platform.course,
        &mut platform.notification,
    ] {
        member.process().terminate();
        assert!(
            member.process().wait(PATIENCE).await.success(),
            "{}",
            member.name
        );
        member.start().await;
    }
    let overview = platform.people.overview(&ada).await;
    assert_eq!((overview.courses.len(), overview.unread), (1, Some(1)));
}

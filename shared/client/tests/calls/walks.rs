//! Lists of another service that are walked over page by page.

use lyceum_client::testing::{Act, Script};
use lyceum_client::{ClientError, CourseClient, Malformation, UpstreamSettings, UserClient};
use serde_json::json;

#[tokio::test]
async fn a_walk_goes_on_after_the_last_person_and_ends_where_the_peer_says() {
    let page = json!({"items": [8, 9], "next_after": null, "total": 5});
    let peer = Script::new([Act::json(200, &page)]);
    let courses = CourseClient::from(upstream(&peer, "course"));
    let (course, after) = (3.try_into().unwrap(), 7.try_into().unwrap());
    let page = courses.enrolled_in(course, Some(after), 2).await.unwrap();
    let page = page.unwrap();
    assert_eq!(
        (page.items.len(), page.next_after, page.total),
        (2, None, 5)
    );
    let asked = peer.sent().remove(0).target;
    assert_eq!(asked, "/internal/courses/3/enrolments?after=7&limit=2");

    let peer = Script::new([Act::json(200, &json!({"items": [], "next_after": null}))]);
    let users = UserClient::from(upstream(&peer, "user"));
    let page = users.everybody(None, 10).await.unwrap();
    assert_eq!((page.items.len(), page.next_after), (0, None));
    assert_eq!(peer.sent()[0].target, "/internal/users?after=0&limit=10");
}

#[tokio::test]
async fn a_course_that_is_none_is_none_and_any_other_refusal_an_error() {
    let course = 3.try_into().unwrap();
    let ask = async |status| {
        let peer = Script::new([Act::status(status)]);
        let courses = CourseClient::from(upstream(&peer, "course"));
        courses.enrolled_in(course, None, 1).await
    };
    assert_eq!(ask(404).await, Ok(None));
    assert_eq!(ask(403).await.unwrap_err().refused_with(), Some(403));
}

#[tokio::test]
async fn a_page_by_which_a_walk_would_meet_somebody_twice_or_never_end_is_none() {
    let (course, after) = (3.try_into().unwrap(), 7.try_into().unwrap());
    for (items, next_after) in [
        (vec![7], json!(null)),
        (vec![9, 8], json!(null)),
        (vec![8, 8], json!(null)),
        (vec![8, 9], json!(8)),
        (vec![], json!(7)),
    ] {
        let page = json!({"items": items, "next_after": next_after, "total": 5});
        let peer = Script::new([Act::json(200, &page)]);
        let courses = CourseClient::from(upstream(&peer, "course"));
        let refused = courses.enrolled_in(course, Some(after), 2).await;
        let out_of_order = ClientError::Malformed(Malformation::OutOfOrder);
        assert_eq!(refused, Err(out_of_order), "{page}");
    }
}

fn upstream(peer: &Script, name: &'static str) -> lyceum_client::Upstream {
    peer.upstream(name, &UpstreamSettings::default()).unwrap()
}

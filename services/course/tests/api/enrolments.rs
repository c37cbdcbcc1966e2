//! Taking a place, giving it up, and the last place of all.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use lyceum_contracts::course::{Enrolment, EnrolmentStatus};

use crate::platform::Platform;

#[tokio::test]
async fn a_student_enrols_and_the_course_counts_it() {
    let platform = Platform::start();
    let course = platform.course(Some(2)).await;
    let ada = platform.student(1);
    let answer = ada.enrols_in(course.id).await.expect(201);
    let enrolment: Enrolment = answer.json();
    assert_eq!(
        answer.header("location"),
        Some(format!("/enrolments/{}", enrolment.id).as_str())
    );
    assert_eq!(
        (enrolment.course_id, enrolment.user_id),
        (course.id, ada.id)
    );
    assert_eq!(enrolment.status, EnrolmentStatus::Active);
    let read: Enrolment = ada
        .get(&format!("/enrolments/{}", enrolment.id))
        .await
        .expect(200)
        .json();
    assert_eq!(read, enrolment);
    let seen = ada.sees(course.id).await;
    assert_eq!((seen.enrolled, seen.version), (1, course.version));
}

#[tokio::test]
async fn enrolling_twice_answers_with_the_same_enrolment() {
    let platform = Platform::start();
    let course = platform.course(Some(1)).await;
    let ada = platform.student(1);
    let first = ada.gets_a_place_in(course.id).await;
    let again: Enrolment = ada.enrols_in(course.id).await.expect(200).json();
    assert_eq!(again, first, "although the course is full by now");
    assert_eq!(ada.sees(course.id).await.enrolled, 1);
}

#[tokio::test]
async fn whoever_comes_back_gets_a_new_enrolment() {
    let platform = Platform::start();
    let course = platform.course(Some(1)).await;
    let ada = platform.student(1);
    let first = ada.gets_a_place_in(course.id).await;
    ada.drops(course.id).await.expect(204);
    assert_eq!(ada.sees(course.id).await.enrolled, 0);
    ada.drops(course.id).await.expect(404);
    assert_eq!(
        ada.sees(course.id).await.enrolled,
        0,
        "a place is given back once"
    );
    let old: Enrolment = ada
        .get(&format!("/enrolments/{}", first.id))
        .await
        .expect(200)
        .json();
    assert_eq!(old.status, EnrolmentStatus::Dropped);
    let second = ada.gets_a_place_in(course.id).await;
    assert_ne!(second.id, first.id);
    assert_eq!(ada.sees(course.id).await.enrolled, 1);
}

#[tokio::test]
async fn nobody_enrols_in_a_draft_or_in_nothing() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    let draft = teacher.writes("Logic", None).await;
    platform.student(2).enrols_in(draft.id).await.expect(404);
    platform.instructor(2).enrols_in(draft.id).await.expect(404);
    let problem = teacher.enrols_in(draft.id).await.expect(409).problem();
    assert!(
        problem
            .detail
            .is_some_and(|detail| detail.contains("draft"))
    );
    platform.admin(3).enrols_in(draft.id).await.expect(409);
    platform
        .student(2)
        .enrols_in(999_999.try_into().unwrap())
        .await
        .expect(404);
    platform
        .student(2)
        .drops(999_999.try_into().unwrap())
        .await
        .expect(404);
    assert_eq!(teacher.sees(draft.id).await.enrolled, 0);
}

#[tokio::test]
async fn a_full_course_says_so_until_somebody_leaves() {
    let platform = Platform::start();
    let course = platform.course(Some(1)).await;
    let (ada, bob) = (platform.student(1), platform.student(2));
    ada.gets_a_place_in(course.id).await;
    let problem = bob.enrols_in(course.id).await.expect(409).problem();
    assert_eq!(problem.r#type, "/problems/conflict");
    assert!(problem.detail.is_some_and(|detail| detail.contains("full")));
    ada.drops(course.id).await.expect(204);
    bob.gets_a_place_in(course.id).await;
    ada.enrols_in(course.id).await.expect(409);
}

#[tokio::test]
async fn the_last_place_is_given_once_however_many_ask() {
    const PLACES: u32 = 7;
    let platform = Platform::start();
    let course = platform.course(Some(PLACES)).await;
    let students: Vec<_> = (1..=40).map(|id| platform.student(id)).collect();
    let answers = join_all(students.iter().map(|student| student.enrols_in(course.id))).await;
    let mut statuses = BTreeMap::new();
    for answer in &answers {
        *statuses.entry(answer.status).or_insert(0) += 1;
    }
    assert_eq!(
        statuses,
        BTreeMap::from([(201, PLACES), (409, 40 - PLACES)])
    );
    assert_eq!(platform.student(1).sees(course.id).await.enrolled, PLACES);
}

#[tokio::test]
async fn one_person_asking_many_times_at_once_holds_one_place() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    let ada = platform.student(1);
    let answers = join_all((0..20).map(|_| ada.enrols_in(course.id))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let same = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((created, same), (1, 19));
    let first: Enrolment = answers[0].json();
    assert!(
        answers
            .iter()
            .all(|answer| answer.json::<Enrolment>() == first)
    );
    assert_eq!(ada.sees(course.id).await.enrolled, 1);
}

#[tokio::test]
async fn places_given_up_and_taken_at_once_are_counted_right() {
    let platform = Platform::start();
    let course = platform.course(Some(10)).await;
    let leaving: Vec<_> = (1..=10).map(|id| platform.student(id)).collect();
    join_all(
        leaving
            .iter()
            .map(|student| student.gets_a_place_in(course.id)),
    )
    .await;
    let coming: Vec<_> = (11..=30).map(|id| platform.student(id)).collect();
    let (left, came) = futures_util::join!(
        join_all(leaving.iter().map(|student| student.drops(course.id))),
        join_all(coming.iter().map(|student| student.enrols_in(course.id))),
    );
    assert!(left.iter().all(|answer| answer.status == 204));
    let admitted = came.iter().filter(|answer| answer.status == 201).count();
    assert!(came.iter().all(|answer| matches!(answer.status, 201 | 409)));
    let counted = platform.student(1).sees(course.id).await.enrolled;
    assert_eq!(usize::try_from(counted).unwrap(), admitted);
}

#[tokio::test]
async fn an_enrolment_is_shown_to_those_it_concerns() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    let ada = platform.student(1);
    let path = format!("/enrolments/{}", ada.gets_a_place_in(course.id).await.id);
    for concerned in [&ada, &platform.instructor(900), &platform.admin(3)] {
        concerned.get(&path).await.expect(200);
    }
    for other in [platform.student(2), platform.instructor(2)] {
        other.get(&path).await.expect(404);
        other.drops(course.id).await.expect(404);
    }
    assert_eq!(ada.sees(course.id).await.enrolled, 1, "nothing has changed");
}

#[tokio::test]
async fn enrolling_needs_no_body_and_ignores_none() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    let path = format!("/courses/{}/enrolments", course.id);
    let send = |id: i64, body: &'static str, media: &'static str| {
        let ada = platform.student(id);
        let path = path.clone();
        async move {
            let request = ada.client.post(&path).bearer(&ada.token);
            request.body(body, media).send().await
        }
    };
    send(1, "", "application/json").await.expect(201);
    send(2, "{}", "application/json").await.expect(201);
    let problem = send(3, r#"{"user_id":4}"#, "application/json")
        .await
        .expect(422)
        .problem();
    assert_eq!(problem.errors[0].pointer, "#/user_id");
    send(3, "{", "application/json").await.expect(400);
    send(3, "{}", "text/plain").await.expect(415);
    assert_eq!(platform.student(1).sees(course.id).await.enrolled, 2);
}

//! The three APIs in one scripted peer.

use lyceum_testing::peer::{Answer, ScriptedPeer};
use serde_json::{Value, json};

/// Of the demo's courses.
pub(crate) const TITLES: [&str; 3] = [
    "Rust for the patient",
    "Distributed systems, gently",
    "Reading a trace",
];

/// A course without a limit.
pub(crate) fn course(title: &str, status: &str) -> Value {
    json!({"id": 1, "title": title, "description": "", "status": status,
           "instructor_id": 1, "capacity": null, "enrolled": 0, "version": 1,
           "created_at": "2026-01-02T03:04:05Z", "published_at": "2026-01-02T03:04:05Z"})
}

/// Answers as the demo expects when everything is there already.
pub(crate) fn script(peer: &ScriptedPeer) {
    let account = |role: &str| {
        json!({"id": 1, "email": "ada@lyceum.test", "full_name": "Ada Student", "role": role, "status": "active",
               "version": 1, "created_at": "2026-01-02T03:04:05Z"})
    };
    peer.on("POST /auth/login").always_with(|login| {
        // The token says whose it is, as real ones do.
        let email = login.json::<Value>()["email"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let role = email.split_at(2).0.to_owned();
        Answer::json(
            200,
            &json!({"access_token": role, "token_type": "Bearer",
                                  "expires_in": 900, "refresh_token": "r"}),
        )
    });
    peer.on("GET /users/me").always_with(move |request| {
        let is_instructor = request.bearer() == Some("in");
        let role = if is_instructor {
            "instructor"
        } else {
            "student"
        };
        Answer::json(200, &account(role))
    });
    peer.on("POST /users").always(Answer::status(409));
    let courses = TITLES.map(|title| course(title, "published"));
    peer.on("GET /courses").always(Answer::json(
        200,
        &json!({"items": courses, "next_cursor": null}),
    ));
    peer.on("POST /courses/{id}/enrolments")
        .always(Answer::status(200));
    peer.on("GET /notifications").always(Answer::status(200));
    let overview = json!({"user": account("student"), "courses": [], "stats": {}, "unread": null,
                          "degraded": []});
    peer.on("GET /users/{id}/overview")
        .always(Answer::json(200, &overview));
    peer.on("GET /sse/notifications")
        .always(Answer::status(200));
}

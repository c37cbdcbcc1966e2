//! People, courses and a little traffic, so that there is something to look at.
//!
//! Made through the public API alone, as a person would. Everything is looked for before it is
//! made: a second start finds the data of the first and adds only traffic.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use lyceum_contracts::course::{Course, CreateCourse};
use lyceum_contracts::ids::CourseId;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::Credentials;

use crate::api::{Api, CallError, Caller};

/// Everybody's password in the demo: long enough, not on any list, and no secret.
pub const PASSWORD: &str = "plato-olive-grove-387";

/// Made by the user service itself, from its settings.
pub const ADMIN: Person = Person {
    email: "admin@lyceum.test",
    full_name: "Admin",
    role: Role::Admin,
};

/// Teaches.
pub const INSTRUCTOR: Person = Person {
    email: "ines@lyceum.test",
    full_name: "Ines Instructor",
    role: Role::Instructor,
};

/// Learns.
pub const STUDENT: Person = Person {
    email: "ada@lyceum.test",
    full_name: "Ada Student",
    role: Role::Student,
};

/// Longer than a breaker stays open the first time.
const SETTLING: Duration = Duration::from_secs(10);

/// Title, description, places.
const COURSES: [(&str, &str, Option<u32>); 3] = [
    (
        "Rust for the patient",
        "Ownership first; everything else follows.",
        Some(30),
    ),
    (
        "Distributed systems, gently",
        "Time, failure and agreement between machines.",
        Some(12),
    ),
    (
        "Reading a trace",
        "What a request did, and where its time went.",
        None,
    ),
];

/// Whether anybody may take a place in `course` at any time without taking it from another.
pub fn is_open_to_all(course: &Course) -> bool {
    let is_ours = |(title, _, capacity): &(&str, &str, Option<u32>)| {
        capacity.is_none() && *title == course.title
    };
    COURSES.iter().any(is_ours)
}

/// Somebody with a login.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// Signs in with it.
    pub email: &'static str,
    /// As the account shows it.
    pub full_name: &'static str,
    /// What the person may do.
    pub role: Role,
}

impl Person {
    /// What the person types to log in.
    pub fn credentials(self) -> Credentials {
        Credentials {
            email: self.email.to_owned(),
            password: PASSWORD.to_owned(),
        }
    }
}

/// How the demo data fared; the platform runs either way.
pub type Demo = Result<(), CallError>;

/// Courses that were written and perhaps not published, by title. The catalogue has no drafts:
/// what comes between two tries would be written again if nobody remembered it.
#[derive(Debug, Default)]
pub struct Drafts(HashMap<&'static str, Course>);

/// Makes what is missing, with the rights of `admin`, then does what a student does on a visit.
pub async fn prepare(api: &Api, admin: &Credentials) -> Demo {
    prepare_again(api, admin, &mut Drafts::default()).await
}

/// The same as one try of several, which share their `drafts`.
pub async fn prepare_again(api: &Api, admin: &Credentials, drafts: &mut Drafts) -> Demo {
    let admin = log_in_as_admin(api, admin).await?;
    let instructor = settle(api, &admin, INSTRUCTOR).await?;
    let student = settle(api, &admin, STUDENT).await?;
    let first = publish_courses(api, &instructor, drafts).await?;
    api.enrol(&student, first).await?;
    visit(api, &student).await
}

async fn log_in_as_admin(api: &Api, admin: &Credentials) -> Result<Caller, CallError> {
    api.log_in(admin).await.map_err(|error| match error {
        // The account is made once, from the settings of that moment.
        CallError::Unexpected { status: 401, .. } => CallError::AdminRefused {
            email: admin.email.clone(),
        },
        other => other,
    })
}

/// What a student does: look at the inbox, and at the overview, which asks all three services.
///
/// Right after the start a service may still think a peer away that has come meanwhile; the
/// overview is read until it is whole, or for [`SETTLING`].
async fn visit(api: &Api, student: &Caller) -> Result<(), CallError> {
    api.read_inbox(student).await?;
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    let whole = async {
        loop {
            tick.tick().await;
            if api.overview(student).await?.degraded.is_empty() {
                return Ok(());
            }
        }
    };
    // A degraded overview is an answer too.
    tokio::time::timeout(SETTLING, whole)
        .await
        .unwrap_or(Ok(()))
}

/// Somebody with an account and the right role, logged in.
async fn settle(api: &Api, admin: &Caller, person: Person) -> Result<Caller, CallError> {
    api.register(person).await?;
    let caller = api.log_in(&person.credentials()).await?;
    if caller.role == person.role {
        return Ok(caller);
    }
    api.change_role(admin, &caller, person.role).await?;
    // The role is a claim of the access token: the old one does not have it.
    api.log_in(&person.credentials()).await
}

/// All demo courses, published; the first one's id.
async fn publish_courses(
    api: &Api,
    instructor: &Caller,
    Drafts(drafts): &mut Drafts,
) -> Result<CourseId, CallError> {
    let known = api.catalogue(instructor).await?;
    let mut ids = Vec::with_capacity(COURSES.len());
    for (title, description, capacity) in COURSES {
        if let Some(course) = known.iter().find(|course| course.title == title) {
            ids.push(course.id);
            continue;
        }
        let draft = match drafts.entry(title) {
            Entry::Occupied(draft) => draft.into_mut(),
            Entry::Vacant(place) => {
                let course = CreateCourse {
                    title: title.to_owned(),
                    description: description.to_owned(),
                    capacity,
                };
                place.insert(api.create(instructor, &course).await?)
            }
        };
        let id = draft.id;
        api.publish(instructor, draft).await.inspect_err(|error| {
            // The data is another one by now.
            if let CallError::Unexpected { status: 404, .. } = error {
                drafts.remove(title);
            }
        })?;
        ids.push(id);
    }
    Ok(ids[0])
}

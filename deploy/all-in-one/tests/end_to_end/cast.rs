//! The people of the tests and what they do, in their own words.

use lyceum_contracts::course::Enrolment;
use lyceum_contracts::user::Overview;
use lyceum_testing::http::Response;
use lyceum_testing::people::Apis;
pub(crate) use lyceum_testing::people::Person;

use crate::platform::Platform;

impl Platform {
    fn apis(&self) -> Apis {
        Apis {
            user: self.user.api.clone(),
            course: self.course.api.clone(),
            notification: self.notification.api.clone(),
            admin: ("admin@lyceum.test", "lyceum-development-admin"),
        }
    }

    /// Registers and signs in.
    pub(crate) async fn register(&self, name: &str) -> Person {
        self.apis().register(name).await
    }

    /// Registers somebody whom the admin makes an instructor.
    pub(crate) async fn instructor(&self, name: &str) -> Person {
        self.apis().instructor(name).await
    }

    /// A course that people can enrol in.
    pub(crate) async fn published_course(&self, instructor: &Person, title: &str) -> i64 {
        self.apis().published_course(instructor, title).await
    }

    /// Asks for an enrolment.
    pub(crate) async fn ask_to_enrol(&self, person: &Person, course: i64) -> Response {
        self.apis().ask_to_enrol(person, course).await
    }

    /// Enrols somebody.
    pub(crate) async fn enrol(&self, person: &Person, course: i64) -> Enrolment {
        self.apis().enrol(person, course).await
    }

    /// Asks for somebody's overview.
    pub(crate) async fn ask_overview(&self, person: &Person) -> Response {
        self.apis().ask_overview(person).await
    }

    /// Somebody's overview.
    pub(crate) async fn overview(&self, person: &Person) -> Overview {
        self.apis().overview(person).await
    }

    /// Somebody new and a new course to enrol in.
    pub(crate) async fn ada_and_a_course(&self) -> (Person, i64) {
        self.apis().ada_and_a_course().await
    }
}

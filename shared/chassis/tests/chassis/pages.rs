//! Pages of other hosts, as browsers ask for them.

use lyceum_chassis::settings::Settings;
use lyceum_testing::http::{Client, Response};
use lyceum_testing::{TestApp, spawn};

use crate::bakery::{Bakery, NoSettings, open};

const PAGE: &str = "https://app.example.org";

fn for_the_page() -> TestApp {
    spawn::<Bakery>(|settings: &mut Settings<NoSettings>| {
        settings.platform.http.allowed_origins = vec![PAGE.to_owned()];
    })
}

/// What a browser is answered before it lets a page post.
async fn may_post(client: &Client, origin: &str) -> Response {
    client
        .request("OPTIONS".parse().unwrap(), "/loaves")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type",
        )
        .send()
        .await
}

#[tokio::test]
async fn a_page_that_is_listed_may_ask_and_read_every_answer() {
    let bakery = for_the_page();
    let client = bakery.client();
    let answer = may_post(client, PAGE).await.expect(204);
    assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
    assert_eq!(answer.header("access-control-allow-methods"), Some("*"));
    let headers = answer.header("access-control-allow-headers");
    assert_eq!(headers, Some("*, authorization"));
    for (path, status) in [("/loaves", 200), ("/me", 401), ("/nowhere", 404)] {
        let answer = client.get(path).header("origin", PAGE).send().await;
        let answer = answer.expect(status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
        assert_eq!(answer.header("access-control-expose-headers"), Some("*"));
        assert_eq!(answer.header("vary"), Some("origin"));
        let cookies = answer.header("access-control-allow-credentials");
        assert_eq!(cookies, None, "nobody is known by a cookie");
    }
}

#[tokio::test]
async fn no_other_page_may_and_none_where_none_is_listed() {
    let (listed, none) = (for_the_page(), open());
    for (client, origin) in [
        (listed.client(), "https://app.example.org.evil.test"),
        (listed.client(), "http://app.example.org"),
        (listed.client(), "null"),
        (none.client(), PAGE),
    ] {
        let asked = may_post(client, origin).await.expect(405);
        let answer = client.get("/loaves").header("origin", origin).send().await;
        for answer in [asked, answer.expect(200)] {
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, None, "{origin}");
        }
    }
    let plain = none.client().get("/loaves").send().await;
    assert_eq!(plain.header("vary"), None);
}

#[tokio::test]
async fn a_question_without_a_page_behind_it_is_an_ordinary_one() {
    let bakery = for_the_page();
    let options = bakery
        .client()
        .request("OPTIONS".parse().unwrap(), "/loaves");
    options.header("origin", PAGE).send().await.expect(405);
}

//! The live page, as far as no browser is needed; one drives it in `deploy/all-in-one`.

use lyceum_chassis::settings::Environment;

use crate::platform::Platform;

const FILES: [&str; 3] = ["/", "/live.js", "/live.css"];

#[tokio::test]
async fn the_page_asks_this_service_and_the_user_service_and_nobody_else() {
    let user = "http://accounts.test:8001";
    let platform = Platform::with_all(|settings| {
        user.clone_into(&mut settings.service.page.user_url);
    });
    let client = platform.app.client();
    let page = client.get("/").send().await.expect(200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy").unwrap_or_default();
    let words: Vec<_> = policy.split("; ").collect();
    let asks = format!("connect-src 'self' {user}");
    for word in [&*asks, "default-src 'none'", "script-src 'self'"] {
        assert!(words.contains(&word), "{word}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(
        page.text()
            .contains(&format!("data-user-service=\"{user}\""))
    );
    assert!(!page.text().contains("{{"), "{}", page.text());
    for path in FILES {
        let file = client.get(path).send().await.expect(200);
        let text = file.text().replace(user, "");
        assert!(
            !text.contains("http://") && !text.contains("https://"),
            "{path}"
        );
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        client.post(path).send().await.expect(405);
    }
}

#[tokio::test]
async fn production_has_no_page() {
    let platform = Platform::with_all(|settings| {
        settings.platform.environment = Environment::Production;
    });
    for path in FILES {
        let answer = platform.app.client().get(path).send().await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.problem().r#type, "/problems/not-found");
    }
}

//! The live page in a real browser, from the password to what was missed.

use std::path::Path;

use lyceum_testing::browser::Browser;
use lyceum_testing::eventually;
use lyceum_testing::people::{PASSWORD, Person};

use crate::platform::Platform;

/// A title that would be a script if it were ever markup.
const NASTY: &str = "<script>alert(1)</script><img src=x onerror=alert(2)> & so on";

/// Below this a picture shows nothing; a blank page of its size is about 10 kB.
const EMPTY: usize = 30_000;

struct Ada {
    platform: Platform,
    person: Person,
    instructor: Person,
    browser: Browser,
}

impl Ada {
    /// Ada, who has opened the page and has not signed in; `None` without a browser.
    async fn opens_the_page() -> Option<Self> {
        let mut browser = Browser::start().await?;
        let platform = Box::pin(Platform::start()).await;
        let instructor = platform.people.instructor("Ines").await;
        let person = platform.people.register("Ada").await;
        let page = format!("{}/", platform.notification.api.base_url());
        browser.open(&page).await;
        Some(Self {
            platform,
            person,
            instructor,
            browser,
        })
    }

    async fn signs_in(&mut self) {
        self.browser.fill("#email", &self.person.email).await;
        self.browser.fill("#password", PASSWORD).await;
        self.browser.click("#sign-in button").await;
    }

    /// Enrols in a new course, and it is told: the inbox holds `total` since.
    async fn enrols(&self, title: &str, total: usize) {
        let people = &self.platform.people;
        let course = people.published_course(&self.instructor, title).await;
        people.enrol(&self.person, course).await;
        eventually("told", async || {
            let inbox = people.notification.get("/notifications");
            let inbox = inbox.bearer(&self.person.token).try_send().await.ok()?;
            let inbox: serde_json::Value = inbox.json();
            (inbox["items"].as_array()?.len() == total).then_some(())
        })
        .await;
    }

    /// Waits until the page shows these places, newest first, and has counted neither a gap nor a
    /// repeat.
    async fn sees(&mut self, places: &[u32]) {
        let seen = "JSON.stringify([...document.querySelectorAll('#inbox li')].map((it) => Number(it.dataset.seq)))";
        let places = format!("{places:?}").replace(' ', "");
        self.browser.until(&format!("{seen} === '{places}'")).await;
        for count in ["#gaps", "#repeats"] {
            assert_eq!(self.browser.text(count).await, "0", "{count}");
        }
    }

    async fn reads(&mut self, selector: &str, text: &str) {
        let text = serde_json::to_string(text).expect("a text");
        let is_there = format!("document.querySelector('{selector}').textContent === {text}");
        self.browser.until(&is_there).await;
    }

    /// No script failed, nothing was asked of anybody else, and the policy had to refuse nothing.
    fn is_content(&self) {
        let complaints = self.browser.complaints();
        assert!(complaints.is_empty(), "{complaints:#?}");
        let apis = [&self.platform.notification, &self.platform.user].map(|it| it.api.base_url());
        for url in self.browser.requests() {
            let http = url.replacen("ws://", "http://", 1);
            let is_ours = apis.iter().any(|api| http.starts_with(*api)) || url == "data:,";
            assert!(is_ours, "{url}");
        }
    }

    /// Under `target/live-page`, for whoever wants to see it.
    #[expect(clippy::print_stdout, reason = "says where the picture is")]
    async fn photographs(&mut self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.parent().unwrap_or(folder).join("live-page");
        std::fs::create_dir_all(&folder).expect("a folder under target");
        let picture = folder.join(name);
        let size = self.browser.screenshot(&picture).await;
        println!("{}: {size} bytes", picture.display());
        assert!(size > EMPTY, "{size} bytes show nothing");
    }
}

#[tokio::test]
async fn a_person_watches_on_both_transports_and_misses_nothing_while_cut_off() {
    let Some(mut ada) = Ada::opens_the_page().await else {
        return;
    };
    ada.photographs("sign-in.png").await;
    ada.signs_in().await;
    ada.reads("#state", "live").await;
    ada.reads("#transport", "Server-Sent Events").await;
    ada.enrols("Logic", 1).await;
    ada.sees(&[1]).await;
    ada.reads("#unread", "1").await;

    ada.browser.click("input[value=websocket]").await;
    ada.reads("#transport", "WebSocket").await;
    ada.reads("#state", "live").await;
    ada.enrols(NASTY, 2).await;
    ada.sees(&[2, 1]).await;
    let heading = ada.browser.text("#inbox li h3").await;
    assert!(
        heading.contains(NASTY),
        "shown as the text it is: {heading}"
    );

    ada.browser.click("#drop").await;
    ada.reads("#state", "dropped").await;
    for (title, total) in [("Sets", 3), ("Graphs", 4), ("Proofs", 5)] {
        ada.enrols(title, total).await;
    }
    assert_eq!(
        ada.browser.text("#place").await,
        "2",
        "nothing comes meanwhile"
    );
    ada.browser.click("#drop").await;
    ada.sees(&[5, 4, 3, 2, 1]).await;
    let told = "Back over WebSocket: missed 3, caught up to place 5, no gap, no repeat.";
    ada.reads("#told", told).await;
    ada.reads("#unread", "5").await;

    ada.browser.click("#inbox li:nth-child(2) button").await;
    ada.reads("#unread", "4").await;
    ada.reads("#inbox li:nth-child(2) button", "Mark as unread")
        .await;
    ada.reads("#place", "6").await;
    ada.sees(&[5, 4, 3, 2, 1]).await;
    ada.photographs("caught-up.png").await;
    ada.is_content();

    ada.browser.click("#leave").await;
    ada.browser
        .until("!document.querySelector('#door').hidden")
        .await;
    assert_eq!(
        ada.browser.text("#inbox").await,
        "",
        "nothing is left on screen"
    );
}

#[tokio::test]
async fn a_page_whose_server_is_killed_comes_back_by_itself_and_goes_on() {
    let Some(mut ada) = Ada::opens_the_page().await else {
        return;
    };
    ada.signs_in().await;
    ada.reads("#state", "live").await;
    for (place, transport) in [(1, "sse"), (2, "websocket")] {
        let choice = format!("input[value={transport}]");
        ada.browser.click(&choice).await;
        ada.reads("#state", "live").await;
        ada.platform.notification.kill().await;
        ada.browser
            .until("document.querySelector('#state').textContent !== 'live'")
            .await;
        ada.platform.notification.start().await;
        ada.enrols(transport, place).await;
        ada.reads("#place", &place.to_string()).await;
        ada.reads("#state", "live").await;
    }
    ada.sees(&[2, 1]).await;
    ada.is_content();
}

#[tokio::test]
async fn who_is_refused_is_told_why_and_a_token_will_do() {
    let Some(mut ada) = Ada::opens_the_page().await else {
        return;
    };
    ada.browser.fill("#email", &ada.person.email.clone()).await;
    ada.browser.fill("#password", "another password").await;
    ada.browser.click("#sign-in button").await;
    ada.browser
        .until("document.querySelector('#told').textContent !== ''")
        .await;
    assert!(
        ada.browser
            .evaluate("document.querySelector('#room').hidden")
            .await
            == true
    );
    ada.browser.click("#door summary").await;
    ada.browser.fill("#token", &ada.person.token.clone()).await;
    ada.browser.click("#bring button").await;
    ada.reads("#state", "live").await;
    ada.enrols("Logic", 1).await;
    ada.sees(&[1]).await;
    ada.is_content();
}

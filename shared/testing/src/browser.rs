//! A real browser: Chromium without a window, driven by its `DevTools` protocol.
//!
//! ```no_run
//! # async fn example() {
//! # use lyceum_testing::browser::Browser;
//! let Some(mut browser) = Browser::start().await else { return };
//! browser.open("http://127.0.0.1:8003/").await;
//! browser.fill("#email", "ada@example.org").await;
//! browser.click("#sign-in button").await;
//! browser.until("document.querySelector('#state').textContent === 'live'").await;
//! # }
//! ```
//!
//! It ends with the test that has started it, and its profile with it.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::database::environment;

/// How long the browser may take for an answer: it starts half a dozen processes, on a machine that
/// may be busy. Spent only by tests that fail anyway.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long a page may take to come to what is waited for.
const WAIT: Duration = Duration::from_mins(1);

/// Nothing of its own accord, no GPU, and no sandbox, which root may not have.
const ARGUMENTS: [&str; 14] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--no-first-run",
    "--hide-scrollbars",
    "--window-size=900,1100",
    "--remote-debugging-port=0",
];

/// A browser with one page.
#[derive(Debug)]
pub struct Browser {
    socket: WebSocketStream<TcpStream>,
    session: Option<String>,
    last_id: u64,
    /// What the browser has told by itself.
    events: Vec<Value>,
    program: Program,
}

/// The program, ended when dropped, and its folder gone.
#[derive(Debug)]
struct Program {
    child: Child,
    folder: TempDir,
}

impl Browser {
    /// Starts one. `None`, and a line that says so, where there is no Chromium.
    ///
    /// # Panics
    /// When it cannot be started; without a Chromium too, if `LYCEUM_REQUIRE_CHROMIUM` is set.
    #[expect(clippy::print_stderr, reason = "a test that is left out says so")]
    pub async fn start() -> Option<Self> {
        let found = Command::new("chromium").arg("--version").output();
        if found.is_err() {
            let required = environment("LYCEUM_REQUIRE_CHROMIUM").is_some();
            assert!(!required, "no chromium in PATH");
            eprintln!("NOT TESTED: no chromium in PATH");
            return None;
        }
        let program = Program::start();
        let Ok((port, path)) = timeout(PATIENCE, program.listens()).await else {
            panic!("chromium does not listen: {}", program.log());
        };
        let wire = TcpStream::connect(("127.0.0.1", port)).await;
        let wire = wire.expect("chromium listens");
        let url = format!("ws://127.0.0.1:{port}{path}");
        let (socket, _) = client_async(url, wire).await.expect("DevTools");
        let mut browser = Self {
            socket,
            session: None,
            last_id: 0,
            events: Vec::new(),
            program,
        };
        let blank = json!({"url": "about:blank"});
        let page = browser.call("Target.createTarget", blank).await;
        let target = json!({"targetId": page["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", target).await;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({})).await;
        }
        Some(browser)
    }

    /// Goes to a page and waits until it is loaded.
    ///
    /// # Panics
    /// When it is not, or not in time, as all of these.
    pub async fn open(&mut self, url: &str) {
        let before = self.events.len();
        let went = self.call("Page.navigate", json!({ "url": url })).await;
        assert!(went["errorText"].is_null(), "{url}: {went}");
        let is_loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        while !self.events[before..].iter().any(is_loaded) {
            self.listen().await;
        }
    }

    /// What a JavaScript expression comes to; a promise is waited for.
    pub async fn evaluate(&mut self, expression: &str) -> Value {
        let script = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let came = self.call("Runtime.evaluate", script).await;
        assert!(came["exceptionDetails"].is_null(), "{expression}: {came}");
        came["result"]["value"].clone()
    }

    /// Waits until a JavaScript expression is true.
    pub async fn until(&mut self, expression: &str) {
        let look = format!(
            "new Promise((resolve) => {{ const look = () => ({expression}) ? resolve(true) : \
             setTimeout(look, 20); look(); }})"
        );
        let waited = timeout(WAIT, self.evaluate(&look)).await;
        if waited.is_err() {
            let page = self.evaluate("document.body.innerText").await;
            panic!("not within {WAIT:?}: {expression}\n{page}");
        }
    }

    /// The text of an element.
    pub async fn text(&mut self, selector: &str) -> String {
        let text = format!("document.querySelector('{selector}').textContent");
        let text = self.evaluate(&text).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Writes into a field as a keyboard does.
    pub async fn fill(&mut self, selector: &str, text: &str) {
        let focus = format!("document.querySelector('{selector}').focus()");
        self.evaluate(&focus).await;
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Presses the left button of a mouse on the middle of an element.
    pub async fn click(&mut self, selector: &str) {
        let middle = format!(
            "(() => {{ const it = document.querySelector('{selector}'); \
             it.scrollIntoView({{block: 'center'}}); const box = it.getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let middle = self.evaluate(&middle).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let (x, y) = (&middle[0], &middle[1]);
            let press = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", press).await;
        }
    }

    /// A picture of the whole page, as PNG; its size in bytes.
    pub async fn screenshot(&mut self, picture: &Path) -> usize {
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        let taken = self.call("Page.captureScreenshot", whole).await;
        let taken = STANDARD.decode(taken["data"].as_str().unwrap_or_default());
        let bytes = taken.expect("base64");
        fs::write(picture, &bytes).expect("a file that can be written");
        bytes.len()
    }

    /// The URL of every request that pages have made, in order.
    pub fn requests(&self) -> Vec<&str> {
        let sent = |event: &&Value| event["method"] == "Network.requestWillBeSent";
        let made = |event: &&Value| event["method"] == "Network.webSocketCreated";
        let url = |event| match event {
            event if sent(&event) => event["params"]["request"]["url"].as_str(),
            event if made(&event) => event["params"]["url"].as_str(),
            _ => None,
        };
        self.events.iter().filter_map(url).collect()
    }

    /// What pages did wrong: scripts that failed, and what their policy did not let them do.
    pub fn complaints(&self) -> Vec<&Value> {
        let is_one = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Log.entryAdded") => event["params"]["entry"]["source"] == "security",
            _ => false,
        };
        self.events.iter().filter(is_one).collect()
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let mut command = json!({"id": id, "method": method, "params": params});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let sent = self.socket.send(Message::text(command.to_string())).await;
        sent.expect("chromium listens");
        loop {
            if let Some(answer) = self.listen().await.filter(|answer| answer["id"] == id) {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// The next answer; `None` when it was an event, which is kept.
    async fn listen(&mut self) -> Option<Value> {
        let Ok(Some(Ok(message))) = timeout(PATIENCE, self.socket.next()).await else {
            panic!("chromium says nothing more: {}", self.program.log());
        };
        let message = message.into_text().expect("text");
        let message: Value = serde_json::from_str(&message).expect("JSON");
        if message["id"].is_null() {
            self.events.push(message);
            return None;
        }
        Some(message)
    }
}

impl Program {
    fn start() -> Self {
        let folder = TempDir::with_prefix("lyceum-chromium-").expect("a temporary folder");
        let log = File::create(folder.path().join("log")).expect("a file of our own");
        // Its first process ends with the thread of the test, and the others with that.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "chromium"]);
        command.args(ARGUMENTS);
        command.arg(format!("--user-data-dir={}", folder.path().display()));
        command.env("HOME", folder.path()).env_remove("DISPLAY");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(log).process_group(0);
        Self {
            child: command.spawn().expect("chromium can be started"),
            folder,
        }
    }

    /// What it wrote.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Port and path of the browser's own `DevTools`.
    async fn listens(&self) -> (u16, String) {
        let file = self.folder.path().join("DevToolsActivePort");
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            let said = fs::read_to_string(&file).unwrap_or_default();
            let port_and_path = said.split_once('\n');
            if let Some((port, path)) = port_and_path.filter(|(_, path)| !path.is_empty()) {
                return (port.parse().expect("a port"), path.trim().to_owned());
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        kill_process_group(Pid::from_child(&self.child), Signal::KILL).ok();
        self.child.wait().ok();
        // The last of its processes may still write while they die.
        let until = Instant::now() + crate::PATIENCE;
        while fs::remove_dir_all(self.folder.path()).is_err()
            && self.folder.path().exists()
            && Instant::now() < until
        {
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_browser_leaves_no_process_and_no_folder_behind() {
        let Some(mut browser) = Browser::start().await else {
            return;
        };
        browser.open("data:text/html,<p>Hello</p>").await;
        assert_eq!(browser.text("p").await, "Hello");
        let program = &browser.program;
        let (group, folder) = (program.child.id(), program.folder.path().to_owned());
        assert!(!members(group).is_empty());
        drop(browser);
        assert!(!folder.exists());
        let until = Instant::now() + PATIENCE;
        while !members(group).is_empty() {
            assert!(Instant::now() < until, "{:?}", members(group));
        }
    }

    /// Processes of a group that have not died (Linux: `/proc`).
    fn members(group: u32) -> Vec<String> {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let stats = processes.filter_map(|it| fs::read_to_string(it.path().join("stat")).ok());
        let lives = |stat: &String| {
            let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            let fields: Vec<&str> = after_name.split(' ').collect();
            fields.get(2) == Some(&&*group.to_string()) && fields.first() != Some(&"Z")
        };
        stats.filter(lives).collect()
    }
}

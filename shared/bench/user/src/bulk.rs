//! A thousand accounts in one request, one request after the other.

use std::time::Instant;

use anyhow::{Result, ensure};
use lyceum_bench_stage::http::{self, Connection};
use serde_json::json;

/// As many as one request may open.
const ITEMS: usize = 1_000;

/// Opens accounts nobody has opened before.
pub(crate) struct Opener {
    opened: usize,
    token: String,
}

impl Opener {
    pub(crate) fn new(token: String) -> Self {
        Self { opened: 0, token }
    }

    /// Asks once; how long it took, in seconds.
    pub(crate) async fn open(&mut self, port: u16, path: &str) -> Result<f64> {
        let items = (0..ITEMS).map(|number| {
            let number = self.opened + number;
            json!({"email": format!("opened-{number}@example.org"),
                "full_name": format!("Opened {number}")})
        });
        let body = json!({"items": items.collect::<Vec<_>>()});
        self.opened += ITEMS;
        let request = http::post(path, &self.token, &serde_json::to_vec(&body)?);
        let mut connection = Connection::to(port).await?;
        let begun = Instant::now();
        let answer = connection.ask(&request).await?;
        let took = begun.elapsed();
        let text = String::from_utf8_lossy(&answer.body);
        ensure!(answer.status == 201, "{}: {text}", answer.status);
        Ok(took.as_secs_f64())
    }
}

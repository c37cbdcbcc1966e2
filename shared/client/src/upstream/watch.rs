//! Keeping up with the addresses of a peer, which come and go with its replicas.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use lyceum_resilience::deadline::Instant;

use super::{Upstream, origins};
use crate::events::Event;

/// How often to see whether the settings have changed meanwhile.
const LOOK: Duration = Duration::from_secs(5);
/// How long the machine's resolver may take.
const PATIENCE: Duration = Duration::from_secs(5);

impl Upstream {
    /// Looks the names in `base_url` up again and again, and gives each of several addresses an
    /// endpoint of its own. Without it, or with names of one address, a name is one endpoint.
    pub async fn watch(&self) -> Infallible {
        let mut last: Option<(Instant, String)> = None;
        loop {
            let (refresh_ms, base_url) = {
                let settings = &self.0.pipeline.load().settings;
                (settings.dns_refresh_ms, settings.base_url.clone())
            };
            let refresh = Duration::from_millis(refresh_ms);
            let due = match &last {
                Some((at, url)) => *url != base_url || at.elapsed() >= refresh,
                None => true,
            };
            if due && refresh_ms != 0 {
                self.look_up().await;
                last = Some((Instant::now(), base_url));
            }
            tokio::time::sleep(if refresh_ms == 0 {
                LOOK
            } else {
                refresh.min(LOOK)
            })
            .await;
        }
    }

    /// Looks the names up once.
    async fn look_up(&self) {
        let inner = &*self.0;
        let (wiring, before) = {
            let building = inner.building();
            (building.builder.wiring.clone(), building.addresses.clone())
        };
        let settings = self.settings();
        // Settings in force were checked.
        let Ok(asked) = origins(inner.name, &settings) else {
            return;
        };
        let heard = before.looked_up(&asked, &wiring, PATIENCE).await;
        if heard == before {
            return;
        }
        let mut building = inner.building();
        let current = inner.pipeline.load_full();
        // What was asked for may not be wanted any more.
        let still = current.settings.base_url == settings.base_url;
        if !still || current.settings.dns_refresh_ms == 0 {
            return;
        }
        let locations = heard.locations(asked);
        let builder = &building.builder;
        let built = builder.build(&current.settings, locations, Some(&current), &inner.dice);
        match built {
            Ok(pipeline) => {
                let endpoints = pipeline.endpoints.iter();
                let endpoints = endpoints.map(|endpoint| Arc::clone(&endpoint.name));
                let endpoints = endpoints.collect();
                inner.pipeline.store(Arc::new(pipeline));
                building.addresses = heard;
                drop(building);
                inner.observer.tell(&Event::Endpoints { endpoints });
            }
            Err(error) => {
                tracing::error!(event = "upstream.unbuilt", upstream = inner.name, %error, "the new addresses of a peer cannot be used");
            }
        }
    }
}

//! Keeping up with the addresses of a peer, which come and go with its replicas.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::{Upstream, origins};
use crate::events::Event;

/// How often to see whether looking up has been turned on meanwhile.
const IDLE: Duration = Duration::from_secs(5);

impl Upstream {
    /// Looks the names in `base_url` up again and again, and gives each of several addresses an
    /// endpoint of its own. Without it, or with names of one address, a name is one endpoint.
    pub async fn watch(&self) -> Infallible {
        loop {
            let refresh_ms = self.0.pipeline.load().settings.dns_refresh_ms;
            if refresh_ms == 0 {
                tokio::time::sleep(IDLE).await;
                continue;
            }
            self.look_up().await;
            tokio::time::sleep(Duration::from_millis(refresh_ms)).await;
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
        let heard = before.looked_up(&asked, &wiring).await;
        if heard == before {
            return;
        }
        let mut building = inner.building();
        let current = inner.pipeline.load_full();
        if current.settings.base_url != settings.base_url {
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

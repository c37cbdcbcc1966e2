//! Looks names up, and forgets the addresses nobody may be sent to.
//!
//! It is asked by whoever connects, and what it answers is connected to. So a name that had a
//! public address when somebody looked, and has another one now, gains nothing.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::target::Reach;

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(super) enum Obstacle {
    #[error("none of its addresses is public")]
    Private,
    #[error("it has no address")]
    Unresolved,
}

/// The machine's resolver, within limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver {
    reach: Reach,
}

impl Resolver {
    pub(super) const fn new(reach: Reach) -> Self {
        Self { reach }
    }

    async fn look_up(self, name: &str) -> Result<Vec<SocketAddr>, Obstacle> {
        // The port of the URL takes the place of 0.
        let found = tokio::net::lookup_host((name, 0)).await;
        let mut found: Vec<_> = found.map_err(|_| Obstacle::Unresolved)?.collect();
        if found.is_empty() {
            return Err(Obstacle::Unresolved);
        }
        found.retain(|address| self.reach.allows(address.ip()));
        if found.is_empty() {
            return Err(Obstacle::Private);
        }
        Ok(found)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = *self;
        Box::pin(async move {
            let found = resolver.look_up(name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_of_this_machine_leads_nowhere_unless_anywhere_is_allowed() {
        let refused = Resolver::new(Reach::Public).look_up("localhost").await;
        assert!(matches!(refused, Err(Obstacle::Private)), "{refused:?}");
        let found = Resolver::new(Reach::Anywhere).look_up("localhost").await;
        assert!(found.unwrap().iter().all(|one| one.ip().is_loopback()));
    }

    #[tokio::test]
    async fn a_name_nobody_has_leads_nowhere_either() {
        let name = "nobody.has.this.name.invalid";
        let refused = Resolver::new(Reach::Anywhere).look_up(name).await;
        assert!(matches!(refused, Err(Obstacle::Unresolved)), "{refused:?}");
    }
}

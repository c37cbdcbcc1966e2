//! Which doors there shall be, as one line of text.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// All doors: `8001=user:8001,8002=course:8002`, or nothing for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan(pub Vec<Planned>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Where it shall listen.
    pub address: SocketAddr,
    /// Where it leads, each `host:port`.
    pub upstreams: Vec<String>,
}

/// What is wrong with a plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no door: PORT=HOST:PORT, with further addresses after a +")]
pub struct NoDoor(String);

impl FromStr for Plan {
    type Err = NoDoor;

    fn from_str(text: &str) -> Result<Self, NoDoor> {
        let doors = text
            .split(',')
            .map(str::trim)
            .filter(|door| !door.is_empty());
        doors.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Planned {
    type Err = NoDoor;

    fn from_str(text: &str) -> Result<Self, NoDoor> {
        let parse = || {
            let (address, upstreams) = text.split_once('=')?;
            let upstreams: Vec<_> = upstreams.split('+').map(str::to_owned).collect();
            upstreams
                .iter()
                .all(|upstream| is_host_and_port(upstream))
                .then_some(())?;
            Some(Self {
                address: listener(address)?,
                upstreams,
            })
        };
        parse().ok_or_else(|| NoDoor(text.to_owned()))
    }
}

/// A port on all interfaces, or a whole address.
fn listener(text: &str) -> Option<SocketAddr> {
    match text.parse::<u16>() {
        Ok(port) => Some((Ipv4Addr::UNSPECIFIED, port).into()),
        Err(_) => text.parse().ok(),
    }
}

fn is_host_and_port(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|n| n > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_where_each_door_listens_and_leads() {
        let plan: Plan = "8001=user:8001, 127.0.0.1:9001=a:1+b:2,".parse().unwrap();
        let planned = |address: &str, upstreams: &[&str]| Planned {
            address: address.parse().unwrap(),
            upstreams: upstreams
                .iter()
                .map(|&upstream| upstream.to_owned())
                .collect(),
        };
        let doors = [
            planned("0.0.0.0:8001", &["user:8001"]),
            planned("127.0.0.1:9001", &["a:1", "b:2"]),
        ];
        assert_eq!(plan.0, doors);
        assert_eq!("".parse(), Ok(Plan(Vec::new())));
    }

    #[test]
    fn what_is_no_door_is_quoted() {
        for text in [
            "8001",
            "x=user:8001",
            "8001=user",
            "8001=:8001",
            "8001=user:0",
            "8001=",
        ] {
            let refusal = text.parse::<Plan>().unwrap_err().to_string();
            assert!(
                refusal.starts_with(&format!("{text:?} is no door")),
                "{refusal}"
            );
        }
    }
}

//! Every port of the platform, taken before anything is started.
//!
//! A port that is not free is found out here, in one line that names all of them, and not by a
//! service half a minute later. The services' own ports are given back just before they start.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use crate::cli::PortOptions;
use crate::services::Service;

/// The loopback interface: nothing of a development stack is for the network.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Where one service listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServicePorts {
    /// Public API.
    pub(crate) api: u16,
    /// Health, metrics, debug.
    pub(crate) operations: u16,
}

/// Where the platform listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    services: [ServicePorts; 3],
    /// OTLP/HTTP receiver.
    pub(crate) otlp: u16,
    /// Trace page.
    pub(crate) traces: u16,
}

impl Ports {
    /// Those of one service.
    pub(crate) const fn of(&self, service: Service) -> ServicePorts {
        self.services[service as usize]
    }
}

/// Every port, held open.
#[derive(Debug)]
pub(crate) struct Reservation {
    services: Vec<(TcpListener, TcpListener)>,
    otlp: TcpListener,
    traces: TcpListener,
}

/// The ports that cannot be had, and why.
#[derive(Debug)]
pub(crate) struct PortsTaken(Vec<Taken>);

#[derive(Debug)]
struct Taken {
    port: u16,
    purpose: String,
    option: &'static str,
    cause: io::Error,
}

impl Reservation {
    /// Takes all ports or none.
    pub(crate) fn take(options: PortOptions) -> Result<Self, PortsTaken> {
        let mut taken = Vec::new();
        let mut quiet = quiet_ports();
        let mut take = |port: u16, purpose: String, option| match listen(port, &mut quiet) {
            Ok(listener) => Some(listener),
            Err(cause) => {
                taken.push(Taken {
                    port,
                    purpose,
                    option,
                    cause,
                });
                None
            }
        };
        let mut services = Vec::new();
        for (service, offset) in Service::ALL.into_iter().zip(0_u16..) {
            let nth = |first: u16| if first == 0 { 0 } else { first + offset };
            let name = service.name();
            let api = take(nth(options.api), format!("{name} API"), "--api-port");
            let operations = take(
                nth(options.operations),
                format!("{name} operations"),
                "--operations-port",
            );
            services.extend(api.zip(operations));
        }
        let otlp = take(options.otlp, "trace receiver".to_owned(), "--otlp-port");
        let traces = take(options.traces, "trace page".to_owned(), "--traces-port");
        match (otlp, traces) {
            (Some(otlp), Some(traces)) if taken.is_empty() => Ok(Self {
                services,
                otlp,
                traces,
            }),
            _ => Err(PortsTaken(taken)),
        }
    }

    /// Their numbers.
    pub(crate) fn ports(&self) -> io::Result<Ports> {
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        let mut services = [ServicePorts {
            api: 0,
            operations: 0,
        }; 3];
        for (ports, (api, operations)) in services.iter_mut().zip(&self.services) {
            *ports = ServicePorts {
                api: port(api)?,
                operations: port(operations)?,
            };
        }
        Ok(Ports {
            services,
            otlp: port(&self.otlp)?,
            traces: port(&self.traces)?,
        })
    }

    /// Gives the services' ports back and keeps ours: (receiver, page).
    pub(crate) fn release(self) -> (TcpListener, TcpListener) {
        (self.otlp, self.traces)
    }
}

/// Listens on this port, or for 0 on any that is free.
fn listen(port: u16, quiet: &mut impl Iterator<Item = u16>) -> io::Result<TcpListener> {
    if port != 0 {
        return TcpListener::bind((HOST, port));
    }
    let mut free = quiet.filter_map(|port| TcpListener::bind((HOST, port)).ok());
    free.next()
        .map_or_else(|| TcpListener::bind((HOST, port)), Ok)
}

/// Ports below those the system gives to connections (Linux: from 32768 on), so that none takes one
/// between our giving it back and its service; another process begins elsewhere.
fn quiet_ports() -> impl Iterator<Item = u16> {
    let begin = std::process::id().wrapping_mul(16);
    let nth = move |n: u32| u16::try_from(begin.wrapping_add(n) % 10_000).unwrap_or_default();
    (0..10_000).map(move |n| 20_000 + nth(n))
}

impl fmt::Display for PortsTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (
            n,
            Taken {
                port,
                purpose,
                option,
                cause,
            },
        ) in self.0.iter().enumerate()
        {
            let separator = if n == 0 { "" } else { "; " };
            if cause.kind() == io::ErrorKind::AddrInUse {
                write!(f, "{separator}port {port} ({purpose}) is taken")?;
            } else {
                write!(
                    f,
                    "{separator}cannot listen on port {port} ({purpose}): {cause}"
                )?;
            }
            write!(f, ", choose another with {option}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PortsTaken {}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: PortOptions = PortOptions {
        api: 0,
        operations: 0,
        otlp: 0,
        traces: 0,
    };

    #[test]
    fn zero_picks_ports_that_are_all_different() {
        let ports = Reservation::take(FREE).unwrap().ports().unwrap();
        let services = Service::ALL.map(|service| ports.of(service));
        let mut all: Vec<u16> = services
            .iter()
            .flat_map(|p| [p.api, p.operations])
            .collect();
        all.extend([ports.otlp, ports.traces]);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 8);
        assert!(all[7] < 32_768, "{all:?}");
    }

    #[test]
    fn every_port_that_is_taken_is_named_with_the_option_that_changes_it() {
        let [otlp, traces] = [0, 0].map(|port| TcpListener::bind((HOST, port)).unwrap());
        let otlp_port = otlp.local_addr().unwrap().port();
        let traces_port = traces.local_addr().unwrap().port();
        let message = Reservation::take(PortOptions {
            otlp: otlp_port,
            traces: traces_port,
            ..FREE
        })
        .unwrap_err()
        .to_string();
        assert_eq!(
            message,
            format!(
                "port {otlp_port} (trace receiver) is taken, choose another with --otlp-port; \
                 port {traces_port} (trace page) is taken, choose another with --traces-port"
            )
        );
    }
}

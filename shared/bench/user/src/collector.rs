//! A receiver of traces that counts them, and does nothing else.
//!
//! `GET /spans` says how many spans came. They are counted where they stand in the message,
//! `ExportTraceServiceRequest.resource_spans(1).scope_spans(2).spans(2)`, without being decoded.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::web::{Bytes, Data, PayloadConfig, get, post};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Result;
use lyceum_bench_stage::process::announce;

/// Where the spans lie, from the outside in.
const SPANS: [u64; 3] = [1, 2, 2];

/// Serves until the process is ended.
pub(crate) fn run() -> Result<()> {
    actix_web::rt::System::new().block_on(async {
        let seen = Data::new(AtomicU64::new(0));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(seen.clone())
                .app_data(PayloadConfig::new(64 << 20))
                .route("/v1/traces", post().to(receive))
                .route("/spans", get().to(count_of))
                .default_service(post().to(HttpResponse::Ok))
        })
        .workers(1)
        .bind(("127.0.0.1", 0))?;
        announce(server.addrs().first())?;
        Ok(server.run().await?)
    })
}

async fn receive(body: Bytes, seen: Data<AtomicU64>) -> HttpResponse {
    seen.fetch_add(count(&body, &SPANS), Ordering::Relaxed);
    HttpResponse::Ok().finish()
}

async fn count_of(seen: Data<AtomicU64>) -> HttpResponse {
    HttpResponse::Ok().json(seen.load(Ordering::Relaxed))
}

/// How many messages lie at the end of `path`.
fn count(mut message: &[u8], path: &[u64]) -> u64 {
    let Some((wanted, deeper)) = path.split_first() else {
        return 1;
    };
    let mut found = 0;
    while let Some((field, content)) = next(&mut message) {
        if field == *wanted {
            found += count(content, deeper);
        }
    }
    found
}

/// Takes the next field, with its content if it is one of known length.
fn next<'a>(message: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let key = varint(message)?;
    let length = match key & 7 {
        0 => {
            varint(message)?;
            0
        }
        1 => 8,
        2 => usize::try_from(varint(message)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let (content, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some((key >> 3, content))
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_counted_where_they_lie() {
        // Two scopes, of two spans (one of them empty) and of one, beside other fields.
        let first = [0x0a, 2, 9, 9, 0x12, 1, 7, 0x12, 0];
        let second = [0x12, 2, 7, 7];
        let mut resource = vec![0x12, 9];
        resource.extend(first);
        resource.extend([0x12, 4]);
        resource.extend(second);
        resource.extend([0x18, 0x96, 0x01]);
        let mut message = vec![0x0a, u8::try_from(resource.len()).unwrap_or_default()];
        message.extend(resource);
        assert_eq!(count(&message, &SPANS), 3);
        assert_eq!(count(&[], &SPANS), 0);
    }
}

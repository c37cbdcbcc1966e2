//! The least that `actix-ws` can be: what is posted is sent on every open socket. No tokens, no
//! rows, no sequence, nobody who comes back.

use actix_web::web::{self, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt};
use actix_ws::Message;
use anyhow::Result;
use bytestring::ByteString;
use futures_util::StreamExt;
use lyceum_bench_stage::process::announce;
use tokio::sync::broadcast;

/// Serves until the process is ended.
pub(crate) fn run() -> Result<()> {
    let (say, _) = broadcast::channel::<ByteString>(128);
    let say = Data::new(say);
    rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(say.clone())
                .route("/ws/notifications", web::get().to(listen))
                .route("/say", web::post().to(publish))
                .default_service(web::get().to(HttpResponse::Ok))
        })
        .bind(("127.0.0.1", 0))?;
        announce(server.addrs().first())?;
        Ok(server.run().await?)
    })
}

/// A message a line.
async fn publish(text: String, say: Data<broadcast::Sender<ByteString>>) -> HttpResponse {
    for line in text.lines() {
        // Perhaps nobody listens.
        say.send(line.into()).ok();
    }
    HttpResponse::Ok().finish()
}

async fn listen(
    request: HttpRequest,
    body: Payload,
    say: Data<broadcast::Sender<ByteString>>,
) -> actix_web::Result<HttpResponse> {
    let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
    let mut said = say.subscribe();
    rt::spawn(async move {
        loop {
            tokio::select! {
                text = said.recv() => {
                    let Ok(text) = text else { return };
                    if session.text(text).await.is_err() {
                        return;
                    }
                }
                message = messages.next() => match message {
                    Some(Ok(Message::Ping(data))) => {
                        session.pong(&data).await.ok();
                    }
                    Some(Ok(_)) => {}
                    _ => return,
                },
            }
        }
    });
    Ok(response)
}

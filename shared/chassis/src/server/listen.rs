//! The API listener: HTTP/1.1 on each connection, until an answer that lasts has it to itself.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::{HttpService, Protocol, Request};
use actix_server::ServerBuilder;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_factory, fn_service, map_config};
use actix_web::dev::{AppConfig, Server, Service, ServiceFactory, ServiceResponse};
use actix_web::rt::net::TcpStream;
use futures_util::FutureExt;

use super::lasting::{Handing, Line, Speakers, hand_over};
use super::unread;
use crate::settings::HttpSettings;

/// How long a client that is answered may take to close its connection; actix-web's own.
const DISCONNECT: Duration = Duration::from_secs(1);

/// Starts to answer on `listener` with what `app` makes for each of the `workers`.
pub(super) fn listen<A, S, B>(
    listener: TcpListener,
    http: &HttpSettings,
    workers: usize,
    drain_seconds: u64,
    app: impl Fn() -> A + Clone + Send + 'static,
) -> io::Result<Server>
where
    A: IntoServiceFactory<S, Request>,
    S: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let (keep_alive, head_timeout) = (
        Duration::from_millis(http.keep_alive_ms),
        Duration::from_millis(http.head_timeout_ms),
    );
    let unread_timeout_ms = http.unread_timeout_ms;
    let builder = ServerBuilder::new()
        .workers(workers)
        .disable_signals()
        .shutdown_timeout(drain_seconds);
    let draining = builder.graceful_shutdown_signal();
    let server = builder.listen("api", listener, move || {
        let draining = draining.clone();
        let answers = app().into_factory();
        let answers = map_config(answers, |()| AppConfig::default())
            .map(hand_over)
            .map_err(|error: actix_web::Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let draining = draining.clone();
                async move { draining.notified().await }
            })
            .keep_alive(keep_alive)
            .client_request_timeout(head_timeout)
            .client_disconnect_timeout(DISCONNECT)
            // A caller that has gone cancels its request; actix keeps working for it otherwise.
            .h1_allow_half_closed(false)
            .on_connect_ext(|handing: &Handing, data| {
                data.insert(handing.clone());
            })
            .finish(answers);
        fn_factory(move || {
            let http = http.new_service(());
            async move {
                let (http, speakers) = (Rc::new(http.await?), Speakers::new());
                Ok::<_, ()>(fn_service(move |socket: TcpStream| {
                    unread::limit(&socket, unread_timeout_ms);
                    serve(Rc::clone(&http), speakers.clone(), socket).map(Ok::<_, Infallible>)
                }))
            }
        })
    })?;
    Ok(server.run())
}

/// Answers on one connection, until its end.
async fn serve(
    http: Rc<impl Service<(Handing, Protocol, Option<SocketAddr>)>>,
    speakers: Speakers,
    socket: TcpStream,
) {
    let peer = socket.peer_addr().ok();
    let handing = Handing::new(Line::new(socket));
    let mut served = Box::pin(http.call((handing.clone(), Protocol::Http1, peer)));
    poll_fn(|context| match served.as_mut().poll(context) {
        Poll::Pending if !handing.is_over() => Poll::Pending,
        _ => Poll::Ready(()),
    })
    .await;
    drop((served, http));
    if let Some(answer) = handing.take() {
        let line = handing.line().clone();
        drop(handing);
        speakers.speak(line, answer).await;
    }
}

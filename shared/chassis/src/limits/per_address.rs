//! A route limited by the address of its callers.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::middleware::{Next, from_fn};

use super::address::CallerAddress;
use super::{Limit, Standing};

/// Counts each request for its caller before anything of it is read, and tells on every answer
/// where the caller stands: `web::post().to(handler).wrap(per_address(&limit))`.
pub fn per_address<S, B>(
    limit: &Limit,
) -> impl Transform<
    S,
    ServiceRequest,
    Response = ServiceResponse<BoxBody>,
    Error = Error,
    InitError = (),
> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    let limit = limit.clone();
    from_fn(move |request: ServiceRequest, next: Next<B>| {
        let standing = limit.admit(&CallerAddress::of(request.request()));
        async move {
            let standing = standing?;
            let response = next.call(request).await?;
            Ok::<_, Error>(told(response.map_into_boxed_body(), standing))
        }
    })
}

fn told(mut response: ServiceResponse<BoxBody>, standing: Standing) -> ServiceResponse<BoxBody> {
    for (name, value) in standing.headers() {
        response.headers_mut().append(name, value);
    }
    response
}

//! The body of a request, read whole before anything is done with it.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::StreamExt;
use http::StatusCode;

use crate::gateway_response::{Refusal, ResponseType};

/// API Gateway's limit of a request's body.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// Reads a body to its end.
///
/// The inner error is that of a body that is too long. It is read to its end all the same: a client that is
/// still sending would see a broken connection in place of the 413.
///
/// # Errors
///
/// What HTTP says to a body that breaks off or takes longer than `time_out`: no request has arrived then.
pub(crate) async fn read(body: Body, time_out: Duration) -> Result<Result<Bytes, ResponseType>, Refusal> {
    let mut chunks = body.into_data_stream();
    let whole = async {
        let mut whole = Vec::new();
        let mut length = 0_usize;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Refusal::Http(StatusCode::BAD_REQUEST))?;
            length = length.saturating_add(chunk.len());
            if length <= MAX_BODY_BYTES {
                whole.extend_from_slice(&chunk);
            }
        }
        Ok(if length <= MAX_BODY_BYTES { Ok(whole.into()) } else { Err(ResponseType::RequestTooLarge) })
    };
    tokio::time::timeout(time_out, whole).await.unwrap_or(Err(Refusal::Http(StatusCode::REQUEST_TIMEOUT)))
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures_util::stream;

    use super::*;

    const TIME_OUT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_body_that_breaks_off_is_400_and_one_that_does_not_end_is_408() {
        let broken = stream::iter([Ok(Bytes::from_static(b"a")), Err(io::Error::other("reset"))]);
        let slow = stream::pending::<io::Result<Bytes>>();

        let broken = read(Body::from_stream(broken), TIME_OUT).await;
        let slow = read(Body::from_stream(slow), TIME_OUT).await;

        assert!(matches!(broken, Err(Refusal::Http(StatusCode::BAD_REQUEST))), "{broken:?}");
        assert!(matches!(slow, Err(Refusal::Http(StatusCode::REQUEST_TIMEOUT))), "{slow:?}");
    }
}

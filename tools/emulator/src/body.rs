//! The body of a request, which is read completely before the request is handled.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::StreamExt;
use http::StatusCode;

/// API Gateway's limit for the body of a request.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// Reads a body to its end.
///
/// It is `None` if it is too long. It is still read to its end: a client that is sending would otherwise see
/// a broken connection instead of the 413.
///
/// # Errors
///
/// HTTP's 400 for an interrupted body, and 408 for one that takes longer than `time_out`.
pub(crate) async fn read(body: Body, time_out: Duration) -> Result<Option<Bytes>, StatusCode> {
    let mut chunks = body.into_data_stream();
    let whole = async {
        let mut whole = Vec::new();
        let mut length = 0_usize;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| StatusCode::BAD_REQUEST)?;
            length = length.saturating_add(chunk.len());
            if length <= MAX_BODY_BYTES {
                whole.extend_from_slice(&chunk);
            }
        }
        Ok((length <= MAX_BODY_BYTES).then(|| whole.into()))
    };
    tokio::time::timeout(time_out, whole).await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures_util::stream;

    use super::*;

    const TIME_OUT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn an_interrupted_body_is_400_and_an_endless_one_is_408() {
        let broken = stream::iter([Ok(Bytes::from_static(b"a")), Err(io::Error::other("reset"))]);
        let slow = stream::pending::<io::Result<Bytes>>();

        let broken = read(Body::from_stream(broken), TIME_OUT).await;
        let slow = read(Body::from_stream(slow), TIME_OUT).await;

        assert_eq!((broken, slow), (Err(StatusCode::BAD_REQUEST), Err(StatusCode::REQUEST_TIMEOUT)));
    }
}

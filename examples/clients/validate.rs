use std::time::{Duration, Instant};

/// What is known of a token after [`validate`].
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Accepted,
    Refused(String),
    Unknown,
}

/// Spends `token`.
pub async fn validate(url: &str, token: &str) -> reqwest::Result<Outcome> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let client = client.timeout(Duration::from_secs(3)).build()?;
    let key = uuid::Uuid::new_v4().to_string(); // one for all tries
    let (end, mut known) = (Instant::now() + Duration::from_secs(15), true);
    for mut pause in [1_u32, 2, 3, 15] {
        let request = client.post(format!("{url}/validate")).header("Idempotency-Key", &key);
        match request.json(&serde_json::json!({ "token": token })).send().await {
            Ok(reply) => {
                let (status, after) = (reply.status().as_u16(), reply.headers().get("retry-after").cloned());
                let body: serde_json::Value = reply.json().await.unwrap_or_default();
                match (status, body["reason"].as_str()) {
                    (200, _) if body["isValid"] == true => return Ok(Outcome::Accepted),
                    (429, _) => {} // it did not reach the function
                    (400..=402 | 404..500, Some(reason)) if known => return Ok(Outcome::Refused(reason.to_owned())),
                    (400..500, _) => return Ok(Outcome::Unknown),
                    _ => known = false, // the token may be spent
                }
                pause = after.and_then(|it| it.to_str().ok()?.parse().ok()).unwrap_or(pause);
            }
            Err(_) => known = false, // no answer
        }
        if Instant::now() + Duration::from_secs(u64::from(pause) + 3) > end {
            break;
        }
        tokio::time::sleep(Duration::from_secs(pause.into())).await;
    }
    Ok(Outcome::Unknown)
}

/// Spends `token`: `Some(Ok(()))` is accepted, `Some(Err(reason))` refused, and `None` not known.
/// The `client` has a time-out of 3 s, and follows no redirect.
pub async fn validate(client: &reqwest::Client, url: &str, token: &str) -> Option<Result<(), String>> {
    let key = uuid::Uuid::new_v4().to_string(); // one for all tries
    let (start, mut known) = (std::time::Instant::now(), true);
    for pause in [1_u32, 2, 3, 15] {
        let request = client.post(format!("{url}/validate")).header("Idempotency-Key", &key);
        let reply = request.json(&serde_json::json!({ "token": token })).send().await.ok();
        let status = reply.as_ref().map_or(0, |reply| reply.status().as_u16()); // 0 is no answer
        let after = reply.as_ref().and_then(|reply| reply.headers().get("retry-after")?.to_str().ok()?.parse().ok());
        let body = if let Some(it) = reply { it.json().await.unwrap_or_default() } else { serde_json::Value::Null };
        match (status, body["reason"].as_str()) {
            (200, _) if body["isValid"] == true => return Some(Ok(())),
            (429, _) => {} // it did not reach the function
            (400..=402 | 404..500, Some(reason)) if known => return Some(Err(reason.to_owned())),
            (400..500, _) => return None,
            _ => known = false, // the token may be spent
        }
        let pause = after.unwrap_or(pause).into();
        if start.elapsed().as_secs() + pause > 11 {
            break; // with the next try it would be over 15 s
        }
        tokio::time::sleep(std::time::Duration::from_secs(pause)).await;
    }
    None
}

//! `usage`: how many tokens were minted and spent, by the hour.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::{
    arguments::Period,
    client::{Client, Reply},
    outcome::{Answer, Code, Failure, plain},
    signer::Signer,
};

/// The columns of the longest bar.
const WIDEST: u64 = 30;

/// Shows the counts of the hours of `period`.
///
/// # Errors
///
/// The failure, if the counts are not known.
pub(crate) async fn usage(client: &Client, signer: &Signer, period: &Period) -> Result<Answer, Failure> {
    let from = period.last.map(ago).transpose()?.or_else(|| period.from.clone());
    let times = [("from", from), ("to", period.to.clone())];
    let times = times.iter().filter_map(|(name, time)| Some((name, time.as_ref()?)));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(times).finish();
    let route = format!("/usage?{query}");
    let reply = client.succeed(signer.sign(client.get(route.trim_end_matches('?')))?).await?;
    let text = table(&reply).ok_or_else(|| reply.failure())?;
    Ok(Answer { code: Code::Yes, text, json: reply.json() })
}

/// The time that was `last` ago, in RFC 3339.
fn ago(last: Duration) -> Result<String, Failure> {
    #[expect(clippy::disallowed_methods, reason = "the period ends now")]
    let time = SystemTime::now().checked_sub(last);
    let time = time.filter(|time| *time >= SystemTime::UNIX_EPOCH);
    let time = time.ok_or_else(|| Failure::usage("--last begins before 1970"))?;
    Ok(humantime::format_rfc3339_seconds(time).to_string())
}

/// A row for each hour, the totals, and the time from mint to spend; none if the reply is not that of the API.
fn table(reply: &Reply) -> Option<String> {
    let hours = reply.member("hours")?.as_array()?;
    let most = hours.iter().filter_map(|hour| hour["minted"].as_u64()).max().unwrap_or(0).max(1);
    let mut text = row("hour (UTC)", ["minted", "spent", "revoked", "expired unused"].map(str::to_owned), "");
    for hour in hours {
        let minted = hour["minted"].as_u64()?;
        let bar =
            "█".repeat(usize::try_from((u128::from(minted) * u128::from(WIDEST)).div_ceil(u128::from(most))).ok()?);
        let remark = if hour["provisional"] == true { format!("{bar} provisional") } else { bar };
        // `2026-11-26T08:00:00Z` without the `T`, the seconds and the `Z`.
        let name = plain(hour["hour"].as_str()?).replacen('T', " ", 1).chars().take(16).collect::<String>();
        text += &row(&name, counts(hour), remark.trim_start());
    }
    let totals = reply.member("totals")?;
    totals["minted"].as_u64()?;
    text += &row("total", counts(totals), "");
    let spends = reply.member("mintToSpend")?;
    if spends["count"].as_u64()? > 0 {
        let at = |name: &str| spends[name].as_u64().map(seconds).unwrap_or_default();
        let (p50, p90, p99) = (at("p50Seconds"), at("p90Seconds"), at("p99Seconds"));
        text += &format!("{:<18}p50 {p50}   p90 {p90}   p99 {p99}\n", "mint to spend");
    }
    if let Some(unreadable) = totals["unreadable"].as_u64().filter(|count| *count > 0) {
        text += &format!("{:<19}{unreadable}, which are not in the table\n", "unreadable records");
    }
    Some(text)
}

/// The counts of an hour or of the total; a dash is a count that is not known yet.
fn counts(of: &Value) -> [String; 4] {
    ["minted", "spent", "revoked", "expiredUnused"]
        .map(|name| of[name].as_u64().map_or_else(|| "-".to_owned(), |count| count.to_string()))
}

fn row(name: &str, [minted, spent, revoked, expired]: [String; 4], remark: &str) -> String {
    let row = format!("{name:<16}{minted:>9}{spent:>9}{revoked:>9}{expired:>16}  {remark}");
    format!("{}\n", row.trim_end())
}

/// The upper limit of a delay.
fn seconds(seconds: u64) -> String {
    format!("≤ {}", humantime::format_duration(Duration::from_secs(seconds)))
}

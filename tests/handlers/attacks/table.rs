//! The table of `docs/security.md`: how this project and a JWT library with its defaults answer the same
//! tokens.

use std::fmt::Write as _;

use super::{
    forged::{answers, attacks},
    forger::Forger,
    plain,
};
use crate::helpers::NOW;

const BEGIN: &str = "<!-- attacks -->";
const END: &str = "<!-- end of attacks -->";

/// The table with the current results.
async fn table() -> String {
    let mut table = String::from("| attack | what | this project | a JWT library with its defaults |\n");
    table.push_str("| --- | --- | --- | --- |\n");
    for attack in attacks() {
        let mut reasons = Vec::new();
        for token in &(attack.tokens)(Forger { now: NOW.0 }) {
            reasons.extend(answers(token).await.iter().map(|answer| format!("refuses: `{}`", answer.reason())));
        }
        reasons.sort_unstable();
        reasons.dedup();
        // The library knows only its own clock.
        let tokens = (attack.tokens)(Forger { now: apigw::epoch_seconds() });
        let accepted = tokens.iter().filter(|token| plain::accepts(token)).count();
        let plain = match accepted {
            0 => "refuses".to_owned(),
            accepted => format!("**accepts {accepted} of {}**", tokens.len()),
        };
        writeln!(table, "| {} | {} | {} | {plain} |", attack.number, attack.what, reasons.join(", ")).unwrap();
    }
    table
}

#[tokio::test]
async fn the_table_in_the_documentation_matches_the_results() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/security.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (_, rest) = document.split_once(BEGIN).expect("the table has a beginning");
    let (documented, _) = rest.split_once(END).expect("the table has an end");
    let found = table().await;
    assert!(documented.trim() == found.trim(), "docs/security.md must say, between its two comments:\n\n{found}");
}

#[test]
fn the_library_accepts_a_good_token() {
    assert!(plain::accepts(&Forger { now: apigw::epoch_seconds() }.good()));
    assert!(!plain::accepts("x"));
}

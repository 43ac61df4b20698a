//! What the judge says of invocations that the simulation cannot make.

use std::time::Duration;

use tokens::Timestamp;
use tokio::time::Instant;

use super::Judge;
use crate::simulation::{
    cloud::{Call, Fault},
    lambda::{Answer, Invoked},
};

/// What the judge says of an invocation that answered after `took`, while Secrets Manager failed.
fn violations(took: Duration) -> Vec<String> {
    let (action, fault) = ("GetSecretValue".to_owned(), Some(Fault::LostReply));
    let fetch = Call { action, body: Vec::new(), fault, sent: Instant::now(), ring: None };
    let mut judge = Judge::default();
    judge.forgery(&Invoked {
        id: "1".to_owned(),
        answer: Some(Answer { status: 503, ..Answer::default() }),
        calls: vec![fetch],
        began: Instant::now(),
        took,
        now: Timestamp(0),
        skew_seconds: 0,
        has_faulty_keys: true,
        fetch: None,
        fetch_before: None,
        is_timed_out: false,
    });
    judge.violations
}

#[test]
fn an_answer_later_than_5_s_after_the_beginning_is_caught() {
    assert_eq!(violations(Duration::from_secs(5)), [""; 0]);
    assert_eq!(violations(Duration::from_millis(5001)), ["an answer after 5.001s"]);
}

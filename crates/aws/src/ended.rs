//! The tokens that this environment has seen spent or revoked.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokens::{Claimant, Jti, Row, Timestamp, Verdict, decide};

/// The number of rows that are kept: a few hundred kilobytes.
const CAPACITY: usize = 1024;

/// Rows of spent or revoked tokens, which a failed condition returned.
///
/// Such a row never changes again, so a spent token that is sent a thousand times costs one write, not a
/// thousand. A replay that the row allows still goes to the table. The row of an unspent token is never
/// kept.
#[derive(Debug, Default)]
pub(crate) struct EndedRows {
    rows: Mutex<Rows>,
}

/// The rows, and their order.
#[derive(Debug, Default)]
struct Rows {
    by_jti: HashMap<Jti, Row>,
    /// The oldest first.
    order: VecDeque<Jti>,
}

impl EndedRows {
    /// The refusal of a claim, if a kept row decides it without a call to the table.
    pub(crate) fn refusal(&self, jti: &Jti, claimant: &Claimant, now: Timestamp) -> Option<Verdict> {
        let rows = self.rows();
        let verdict = decide(Some(rows.by_jti.get(jti)?), claimant, now);
        (!matches!(verdict, Verdict::Spent { .. })).then_some(verdict)
    }

    /// Keeps `row` if it is spent or revoked. If there are too many, the oldest is dropped.
    pub(crate) fn keep(&self, jti: Jti, row: Row) {
        if row.used_by.is_none() && row.revoked_at.is_none() {
            return;
        }
        let mut rows = self.rows();
        if rows.by_jti.insert(jti, row).is_none() {
            rows.order.push_back(jti);
        }
        if rows.order.len() > CAPACITY {
            let oldest = rows.order.pop_front();
            oldest.and_then(|oldest| rows.by_jti.remove(&oldest));
        }
    }

    /// Locks the rows.
    fn rows(&self) -> MutexGuard<'_, Rows> {
        // No code panics while it holds the lock, so the lock is never poisoned.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokens::Claims;
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000);

    fn jti(number: u128) -> Jti {
        Jti::new(Uuid::from_u128(number))
    }

    fn by(id: &str) -> Claimant {
        Claimant::of_invocation(id).unwrap()
    }

    fn fresh() -> Row {
        let (iss, aud, exp) = (String::new(), String::new(), NOW.plus(300));
        Row::minted(&Claims { iss, aud, jti: jti(1), iat: NOW, nbf: NOW, exp }, by("mint"), None)
    }

    fn used() -> Row {
        Row { used_at: Some(NOW), used_by: Some(by("me")), ..fresh() }
    }

    #[test]
    fn a_spent_token_is_refused_to_every_claimant_but_its_own() {
        let ended = EndedRows::default();
        ended.keep(jti(1), used());
        let refusal = Some(Verdict::AlreadyUsed { used_at: NOW });
        assert_eq!(ended.refusal(&jti(1), &by("other"), NOW), refusal);
        assert_eq!(ended.refusal(&jti(1), &by("me"), NOW.plus(60)), None);
        assert_eq!(ended.refusal(&jti(1), &by("me"), NOW.plus(61)), refusal);
        assert_eq!(ended.refusal(&jti(2), &by("other"), NOW), None);
    }

    #[test]
    fn a_revoked_token_is_refused_to_every_claimant() {
        let ended = EndedRows::default();
        ended.keep(jti(1), Row { revoked_at: Some(NOW), ..fresh() });
        assert_eq!(ended.refusal(&jti(1), &by("me"), NOW), Some(Verdict::Revoked));
    }

    #[test]
    fn an_unspent_token_is_never_kept_not_even_when_it_has_expired() {
        let ended = EndedRows::default();
        ended.keep(jti(1), fresh());
        assert_eq!(ended.refusal(&jti(1), &by("me"), NOW.plus(900)), None);
    }

    #[test]
    fn the_oldest_of_1024_makes_room() {
        let ended = EndedRows::default();
        for number in 0..=1024 {
            ended.keep(jti(number), used());
            ended.keep(jti(number), used());
        }
        let is_kept = |number| ended.refusal(&jti(number), &by("other"), NOW).is_some();
        assert!(!is_kept(0) && (1..=1024).all(is_kept));
        let rows = ended.rows();
        assert_eq!((rows.by_jti.len(), rows.order.len()), (1024, 1024));
    }
}

//! The promise, as properties of every state.

use stateright::{Model, Property};

use super::state::{Answer, CLAIMANTS, EXPIRES, KEYED, State, WINDOW};

/// What must hold in every state, and what must be seen in some.
pub(super) fn properties<M: Model<State = State>>() -> Vec<Property<M>> {
    vec![
        Property::always("at most one claimant gets a success", |_, state: &State| {
            let mut claimants = state.successes().map(|(claimant, _)| claimant);
            let first = claimants.next();
            claimants.all(|claimant| Some(claimant) == first)
        }),
        Property::always("no claim takes effect for the first time at or after exp", |_, state: &State| {
            state.first_use.iter().flatten().all(|first| *first < EXPIRES)
        }),
        Property::always("no success at or after exp without a key", |_, state: &State| {
            state.successes().all(|(claimant, now)| claimant == KEYED || now < EXPIRES)
        }),
        Property::always("no success at or after exp + 60 s", |_, state: &State| {
            state.successes().all(|(_, now)| now < EXPIRES + WINDOW)
        }),
        Property::always("a claimant gets its success again for 60 s", |_, state: &State| !state.was_taken_back),
        Property::always("no token is refused as used that no other claimant has used", |_, state: &State| {
            state.answers().all(|(claimant, now, answer)| {
                let by_another = (0..CLAIMANTS).any(|other| other != claimant && state.first_use[other].is_some());
                let too_long_ago = state.first_use[claimant].is_some_and(|first| first + WINDOW < now);
                answer != Answer::Used || by_another || too_long_ago
            })
        }),
        Property::always("every success has its row until the row is deleted", |_, state: &State| {
            let user = state.row.and_then(|row| row.used_by).map(|(user, _)| user);
            state.is_swept || state.successes().all(|(claimant, _)| user == Some(claimant))
        }),
        Property::always("no success after a revocation", |_, state: &State| !state.was_ignored),
        Property::always("every other reason is true", |_, state: &State| {
            !state.was_misread
                && state.answers().all(|(_, now, answer)| match answer {
                    Answer::Success | Answer::Used => true,
                    Answer::Revoked => state.was_revoked,
                    Answer::Expired => now >= EXPIRES,
                    Answer::Unknown => state.is_swept,
                })
        }),
        Property::sometimes("a success", |_, state: &State| has(state, Answer::Success)),
        Property::sometimes("a success at or after exp", |_, state: &State| {
            state.successes().any(|(_, now)| now >= EXPIRES)
        }),
        Property::sometimes("expired, and then a success", |_, state: &State| {
            let is_keyed = |claimant, answer| state.answers().any(|(by, _, got)| by == claimant && got == answer);
            is_keyed(KEYED, Answer::Expired) && is_keyed(KEYED, Answer::Success)
        }),
        Property::sometimes("used", |_, state: &State| has(state, Answer::Used)),
        Property::sometimes("revoked", |_, state: &State| has(state, Answer::Revoked)),
        Property::sometimes("expired", |_, state: &State| has(state, Answer::Expired)),
    ]
}

/// Whether a claimant got `answer`.
fn has(state: &State, answer: Answer) -> bool {
    state.answers().any(|(_, _, got)| got == answer)
}

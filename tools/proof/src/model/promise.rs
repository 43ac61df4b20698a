//! The promise, as properties of every state.

use stateright::{Model, Property};

use super::state::{Answer, CLAIMANTS, EXPIRES, State};

/// What must hold in every state, and what must be seen in some.
pub(super) fn properties<M: Model<State = State>>() -> Vec<Property<M>> {
    vec![
        Property::always("at most one claimant is told yes", |_, state: &State| {
            state.told().filter(|(_, _, answer)| *answer == Answer::Yes).count() <= 1
        }),
        Property::always("no claimant is told that its own claim has used the token", |_, state: &State| {
            state.told().all(|(claimant, _, answer)| {
                let others = (0..CLAIMANTS).any(|other| other != claimant && state.has_taken_effect[other]);
                answer != Answer::Used || others
            })
        }),
        Property::always("no claimant loses to a revocation what its own claim had taken", |_, state: &State| {
            !state.was_taken_back
        }),
        Property::always("nothing is accepted at or after its expiry", |_, state: &State| {
            state.told().all(|(_, now, answer)| answer != Answer::Yes || now < EXPIRES)
        }),
        Property::always("every yes has its row until it is swept", |_, state: &State| {
            state.told().all(|(claimant, _, answer)| {
                let user = state.row.and_then(|row| row.used_by).map(|(user, _)| user);
                answer != Answer::Yes || user == Some(claimant) || state.is_swept
            })
        }),
        Property::always("nobody is told yes after a revocation", |_, state: &State| !state.was_ignored),
        Property::always("every other reason is true", |_, state: &State| {
            state.told().all(|(_, now, answer)| match answer {
                Answer::Yes | Answer::Used => true,
                Answer::Revoked => state.was_revoked,
                Answer::Expired => now >= EXPIRES,
                Answer::Unknown => state.is_swept,
            })
        }),
        Property::sometimes("sometimes yes", |_, state: &State| has(state, Answer::Yes)),
        Property::sometimes("sometimes used", |_, state: &State| has(state, Answer::Used)),
        Property::sometimes("sometimes revoked", |_, state: &State| has(state, Answer::Revoked)),
        Property::sometimes("sometimes expired", |_, state: &State| has(state, Answer::Expired)),
        Property::sometimes("sometimes unknown", |_, state: &State| has(state, Answer::Unknown)),
    ]
}

/// Whether a claimant got `answer`.
fn has(state: &State, answer: Answer) -> bool {
    state.told().any(|(_, _, told)| told == answer)
}

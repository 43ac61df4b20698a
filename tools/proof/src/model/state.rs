//! The state of the model: a clock, the row of one token, and the claims to it.

use tokens::{Row, Timestamp};

/// How many claimants ask for the token at most.
pub(super) const CLAIMANTS: usize = 3;

/// The claimant that makes each claim. The first claimant has an idempotency key and asks twice; each of
/// the others is an invocation, and asks once.
pub(super) const CLAIMS: [usize; 4] = [KEYED, KEYED, 1, 2];

/// The claimant that has an idempotency key.
pub(super) const KEYED: usize = 0;

/// A tick in seconds: the time in which a claimant gets its success again.
const TICK_SECONDS: u64 = 60;

/// The replay window, in ticks.
pub(super) const WINDOW: u8 = 1;

/// The tick at which the token expires.
pub(super) const EXPIRES: u8 = 2;

/// The tick from which its row may be deleted.
pub(super) const PURGE: u8 = 5;

/// The last tick.
pub(super) const END: u8 = 6;

/// For how many ticks an invocation waits for a reply: a function has 5 s, at the end of one tick and at
/// the beginning of the next.
pub(super) const PATIENCE: u8 = 2;

/// What has happened so far.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct State {
    pub(super) clock: u8,
    pub(super) row: Option<Stored>,
    /// Whether the mint's reply has arrived, and the token is handed out.
    pub(super) is_out: bool,
    pub(super) is_revocation_sent: bool,
    pub(super) claims: [Claim; CLAIMS.len()],
    /// Which claims have read the row and not deleted it yet, in the design that does so.
    pub(super) has_read: [bool; CLAIMS.len()],
    /// When a claim of each claimant first took effect, by the clock of that claim.
    pub(super) first_use: [Option<u8>; CLAIMANTS],
    /// Whether a revocation has taken effect.
    pub(super) was_revoked: bool,
    /// Whether the row was deleted in its time.
    pub(super) is_swept: bool,
    /// Whether a claimant got a success after a revocation had taken effect.
    pub(super) was_ignored: bool,
    /// Whether a claimant was refused although its claim had taken effect no longer than the window ago.
    pub(super) was_taken_back: bool,
    /// Whether the store called a token expired that was used.
    pub(super) was_misread: bool,
}

/// The row of the token, in ticks.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Stored {
    /// The claimant that used the token, and when it first did.
    pub(super) used_by: Option<(usize, u8)>,
    pub(super) revoked_at: Option<u8>,
}

/// How far a claim has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Claim {
    /// It has not been made.
    Idle,
    /// It is on its way, made at `now` by the clock of its invocation, which waits for a reply for as
    /// many more ticks as `patience` says.
    Sent { now: u8, patience: u8 },
    /// It was refused without a request to the store.
    Refused { now: u8 },
    /// The store's answer has arrived; of several, the first.
    Told { now: u8, answer: Answer },
}

/// The answer to a claim.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Answer {
    Success,
    Used,
    Revoked,
    Expired,
    Unknown,
}

impl State {
    /// The state before the mint.
    pub(super) fn new() -> Self {
        Self {
            clock: 0,
            row: None,
            is_out: false,
            is_revocation_sent: false,
            claims: [Claim::Idle; CLAIMS.len()],
            has_read: [false; CLAIMS.len()],
            first_use: [None; CLAIMANTS],
            was_revoked: false,
            is_swept: false,
            was_ignored: false,
            was_taken_back: false,
            was_misread: false,
        }
    }

    /// Every answer that has arrived, with the claimant and the time of its claim.
    pub(super) fn answers(&self) -> impl Iterator<Item = (usize, u8, Answer)> {
        self.claims.iter().zip(CLAIMS).filter_map(|(claim, claimant)| match claim {
            Claim::Told { now, answer } => Some((claimant, *now, *answer)),
            Claim::Refused { now } => Some((claimant, *now, Answer::Expired)),
            Claim::Idle | Claim::Sent { .. } => None,
        })
    }

    /// Every success that has arrived, with its claimant and the time of its claim.
    pub(super) fn successes(&self) -> impl Iterator<Item = (usize, u8)> {
        self.answers().filter(|(_, _, answer)| *answer == Answer::Success).map(|(claimant, now, _)| (claimant, now))
    }

    /// Time passes.
    pub(super) fn tick(&mut self) {
        self.clock += 1;
        for claim in &mut self.claims {
            if let Claim::Sent { patience, .. } = claim {
                *patience = patience.saturating_sub(1);
            }
        }
    }

    /// Marks the row as used, and keeps the time of the first use.
    pub(super) fn use_row(&mut self, claimant: usize, now: u8) {
        if let Some(row) = &mut self.row {
            let first = row.used_by.map_or(now, |(_, first)| first);
            row.used_by = Some((claimant, first));
            self.first_use[claimant].get_or_insert(now);
        }
    }

    /// Whether a claim of `claimant` took effect no longer than the window before `now`.
    pub(super) fn has_just_used(&self, claimant: usize, now: u8) -> bool {
        self.first_use[claimant].is_some_and(|first| first + WINDOW >= now)
    }
}

impl Stored {
    /// The row as the rule knows it.
    pub(super) fn into_row(self) -> Row {
        Row {
            minted_by: minter(),
            created_at: moment(0),
            host: None,
            expires_at: moment(EXPIRES),
            purge_at: moment(PURGE),
            used_at: self.used_by.map(|(_, at)| moment(at)),
            used_by: self.used_by.map(|(claimant, _)| name(claimant)),
            revoked_at: self.revoked_at.map(moment),
        }
    }
}

/// The invocation that mints the token.
pub(super) fn minter() -> tokens::Claimant {
    tokens::Claimant::from_stored("r:mint".to_owned())
}

/// The name of a claimant.
pub(super) fn name(claimant: usize) -> tokens::Claimant {
    tokens::Claimant::from_stored(format!("c:{claimant}"))
}

/// The time of a tick.
pub(super) fn moment(tick: u8) -> Timestamp {
    Timestamp(1_700_000_000 + u64::from(tick) * TICK_SECONDS)
}

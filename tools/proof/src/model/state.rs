//! The state of the model: a clock, the row of one token, and its claimants.

use tokens::{Row, Timestamp};

/// How many claimants ask for the token at most.
pub(super) const CLAIMANTS: usize = 3;

/// A tick in seconds.
///
/// A claimant asks once here, and every copy of its claim says the same time. That it asks again, on
/// either side of the 60 s in which a replay is answered, is for the simulation.
const TICK_SECONDS: u64 = 40;

/// The tick at which the token expires.
pub(super) const EXPIRES: u8 = 3;

/// The tick from which its row may be deleted.
pub(super) const PURGE: u8 = 5;

/// The last tick.
pub(super) const END: u8 = 6;

/// How long an invocation waits for a reply, in ticks: a function has 5 s.
const PATIENCE: u8 = 1;

/// What has happened so far.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct State {
    pub(super) clock: u8,
    pub(super) row: Option<Stored>,
    /// Whether the mint's reply has arrived, and the token is handed out.
    pub(super) is_out: bool,
    pub(super) is_revocation_sent: bool,
    pub(super) claimants: [Claimant; CLAIMANTS],
    /// Who has read the row and not deleted it yet, in the design that does so.
    pub(super) has_read: [bool; CLAIMANTS],
    /// Whose claims have taken effect.
    pub(super) has_taken_effect: [bool; CLAIMANTS],
    /// Whether a revocation has taken effect.
    pub(super) was_revoked: bool,
    /// Whether a claimant got a success after it had.
    pub(super) was_ignored: bool,
    /// Whether a claimant whose claim had taken effect was told that the token is revoked.
    pub(super) was_taken_back: bool,
    pub(super) is_swept: bool,
}

/// The row of the token, in ticks.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Stored {
    /// The claimant that used the token, and when it first did.
    pub(super) used_by: Option<(usize, u8)>,
    pub(super) revoked_at: Option<u8>,
}

/// How far a claimant has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Claimant {
    /// It has not asked yet.
    Idle,
    /// It has sent its claim at the tick `sent`, which is `now` by its own clock.
    Waiting { now: u8, sent: u8 },
    /// It has its answer; of several, the first.
    Told { now: u8, sent: u8, answer: Answer },
}

/// The answer to a claim.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Answer {
    Yes,
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
            claimants: [Claimant::Idle; CLAIMANTS],
            has_read: [false; CLAIMANTS],
            has_taken_effect: [false; CLAIMANTS],
            was_revoked: false,
            was_ignored: false,
            was_taken_back: false,
            is_swept: false,
        }
    }

    /// Every claimant that has its answer, with the time of its claim.
    pub(super) fn told(&self) -> impl Iterator<Item = (usize, u8, Answer)> {
        self.claimants.iter().enumerate().filter_map(|(number, claimant)| match claimant {
            Claimant::Told { now, answer, .. } => Some((number, *now, *answer)),
            Claimant::Idle | Claimant::Waiting { .. } => None,
        })
    }

    /// Whether an invocation that began at the tick `began` still waits for a reply.
    pub(super) fn is_waiting_since(&self, began: u8) -> bool {
        self.clock - began <= PATIENCE
    }

    /// Marks the row as used, and keeps the time of the first use.
    pub(super) fn use_row(&mut self, claimant: usize, now: u8) {
        if let Some(row) = &mut self.row {
            let first = row.used_by.map_or(now, |(_, first)| first);
            row.used_by = Some((claimant, first));
            self.has_taken_effect[claimant] = true;
        }
    }
}

impl Stored {
    /// The row as the rule knows it.
    pub(super) fn into_row(self) -> Row {
        Row {
            minted_by: MINTER.into(),
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
pub(super) const MINTER: &str = "r:mint";

/// The time of a tick.
pub(super) fn moment(tick: u8) -> Timestamp {
    Timestamp(1_700_000_000 + u64::from(tick) * TICK_SECONDS)
}

/// The name of a claimant.
pub(super) fn name(claimant: usize) -> String {
    format!("r:{claimant}")
}

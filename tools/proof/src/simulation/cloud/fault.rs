//! What can go wrong with an HTTP request.

use fastrand::Rng;

/// What goes wrong with one HTTP request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The request is lost, and the connection breaks.
    LostRequest,
    /// The request takes effect, but its reply is lost and the connection breaks.
    LostReply,
    /// The connection is reset at once, but the request is on its way and takes effect.
    Reset,
    /// The request takes effect, but the reply ends half way.
    HalfClosed,
    /// The request takes effect and is never answered.
    Stalled,
    /// The request takes effect, and the service answers that it failed.
    ErrorAfterEffect,
    /// The service refuses the request because there are too many.
    Throttled,
    /// The request is answered, and takes effect a second time later.
    Duplicated,
    /// The request is not answered, and takes effect when no caller waits for it any more.
    Late,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 9] = [
        Self::LostRequest,
        Self::LostReply,
        Self::Reset,
        Self::HalfClosed,
        Self::Stalled,
        Self::ErrorAfterEffect,
        Self::Throttled,
        Self::Duplicated,
        Self::Late,
    ];
}

/// Which requests go wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Faults {
    /// Any of them, with this probability in percent.
    Random(u32),
    /// The given attempt of each invocation at `action`. The attempts before it are throttled, so that
    /// the SDK makes it.
    At {
        /// The action of DynamoDB.
        action: &'static str,
        /// The number of the attempt, from 1.
        attempt: usize,
        /// What goes wrong with it.
        fault: Fault,
    },
}

impl Faults {
    /// The fault of an invocation's attempt number `attempt` at `action`.
    pub(crate) fn draw(self, action: &str, attempt: usize, rng: &mut Rng) -> Option<Fault> {
        match self {
            Self::Random(percent) => {
                (rng.u32(0..100) < percent).then(|| rng.choice(Fault::ALL).unwrap_or(Fault::LostReply))
            }
            Self::At { action: faulty, .. } if action != faulty => None,
            Self::At { attempt: faulty, .. } if attempt < faulty => Some(Fault::Throttled),
            Self::At { attempt: faulty, fault, .. } => (attempt == faulty).then_some(fault),
        }
    }
}

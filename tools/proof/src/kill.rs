//! `kill -9` of the function that spends a token, at seven moments of a spend.

use std::{fmt, path::Path};

use anyhow::Result;

use crate::{
    events,
    fault_proxy::{Gate, Step},
    site::{Site, mint, outcome},
};

/// The moment of a spend at which the function is killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// It has its event, and has not looked at it.
    EventTaken,
    /// Its write has arrived at DynamoDB's door, and is lost with it.
    WriteSent,
    /// As before, but the write takes effect after its death.
    WriteSentAndLate,
    /// Its write has taken effect, and nothing of the reply has come back.
    WriteDone,
    /// Half of the reply has come back.
    ReplyHalfRead,
    /// The reply has come back, and it has not looked at it.
    ReplyTaken,
    /// Its answer has arrived at Lambda, which may have passed it on.
    Answered,
}

impl Moment {
    /// All of them, in order.
    const ALL: [Self; 7] = [
        Self::EventTaken,
        Self::WriteSent,
        Self::WriteSentAndLate,
        Self::WriteDone,
        Self::ReplyHalfRead,
        Self::ReplyTaken,
        Self::Answered,
    ];

    /// Where its write stops so that it can be killed there.
    const fn gate(self) -> Option<Gate> {
        match self {
            Self::EventTaken | Self::Answered => None,
            Self::WriteSent | Self::WriteSentAndLate => Some(Gate::BeforeEffect),
            Self::WriteDone | Self::ReplyTaken => Some(Gate::AfterEffect),
            Self::ReplyHalfRead => Some(Gate::HalfReply),
        }
    }

    /// Whether its write takes effect.
    const fn has_effect(self) -> bool {
        !matches!(self, Self::EventTaken | Self::WriteSent)
    }
}

/// A death, and what the clients were told after it.
#[derive(Debug)]
pub struct Death {
    /// When it came.
    pub moment: Moment,
    /// What the same client was told by the next process, and then another client.
    pub answers: Vec<String>,
    /// Whether that is what the promise demands.
    pub is_as_promised: bool,
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.moment, self.answers.join("; "))
    }
}

/// Kills a function at each of the seven moments.
///
/// # Errors
///
/// When something is missing that the proof needs.
pub async fn run(dynamodb: &str, build: &Path) -> Result<Vec<Death>> {
    let mut site = Site::new(dynamodb, build).await?;
    let mut authorizer = site.authorizer().await?;
    let mut deaths = Vec::new();
    for moment in Moment::ALL {
        let token = mint(&mut authorizer).await?;
        kill(&mut site, moment, events::spend(&token, Some("one"))).await?;

        let mut validate = site.validate().await?;
        let mut answers = Vec::new();
        for client in ["one", "one", "another"] {
            answers.push(outcome(&validate.invoke(events::spend(&token, Some(client))).await?));
        }
        let first = if moment.has_effect() { "200 replayed" } else { "200" };
        let is_as_promised = answers == [first, "200 replayed", "401 already_used"];
        deaths.push(Death { moment, answers, is_as_promised });
    }
    Ok(deaths)
}

/// Starts a function, gives it `event`, and kills it at `moment`.
async fn kill(site: &mut Site, moment: Moment, event: String) -> Result<()> {
    let mut validate = site.validate().await?;
    site.proxy.plan(moment.gate().map(Step::Stop));
    match moment {
        Moment::EventTaken => {
            validate.freeze().await?;
            validate.begin(event)?;
            validate.kill().await
        }
        Moment::WriteSent | Moment::WriteDone | Moment::ReplyHalfRead => {
            validate.begin(event)?;
            let _stopped = site.proxy.stopped().await?;
            validate.kill().await
        }
        Moment::WriteSentAndLate => {
            validate.begin(event)?;
            let stopped = site.proxy.stopped().await?;
            validate.kill().await?;
            stopped.go_on().await;
            Ok(())
        }
        Moment::ReplyTaken => {
            validate.begin(event)?;
            let stopped = site.proxy.stopped().await?;
            validate.freeze().await?;
            stopped.go_on().await;
            validate.kill().await
        }
        Moment::Answered => {
            validate.begin(event)?;
            let _unacknowledged = validate.answer().await?;
            validate.kill().await
        }
    }
}

//! Other designs, each as a small store, before the same trials as this project's.

use std::{fmt, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{
        delete_item::DeleteItemError, transact_write_items::TransactWriteItemsError, update_item::UpdateItemError,
    },
    types::{AttributeValue, Delete, TransactWriteItem},
};
use tokens::{Claimant, Insert, Jti, Row, Spend, Spending, StoreError, Timestamp, Verdict};
use uuid::Uuid;

use crate::{
    fault_proxy::{FaultProxy, Step, WireFault},
    races::{now, race, row},
};
use harness::{Table, token_store};

/// How many claim a token at once.
const CLIENTS: usize = 16;

/// A way to keep a token from being spent twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Design {
    /// This project's.
    OneConditionalWrite,
    /// Read the row, and delete it if it is there.
    GetThenDelete,
    /// Delete the row on the condition that it is there.
    ConditionalDelete,
    /// Mark the row as used on the condition that it is not, and forget by whom.
    UpdateWithoutClaimant,
    /// Delete the row in a transaction, on the condition that it is there.
    DeleteByTransaction,
}

impl Design {
    /// All of them, this project's first.
    const ALL: [Self; 5] = [
        Self::OneConditionalWrite,
        Self::GetThenDelete,
        Self::ConditionalDelete,
        Self::UpdateWithoutClaimant,
        Self::DeleteByTransaction,
    ];

    fn store(self, table: &Table, url: &str) -> Arc<dyn MintAndSpend> {
        match self {
            Self::OneConditionalWrite => token_store(url, &table.name),
            design => Arc::new(Peer { design, table: table.through(url) }),
        }
    }
}

/// How many tokens a design lost or doubled.
#[derive(Debug)]
pub struct Trial {
    /// The design.
    pub design: Design,
    /// Given to more than one of 16 clients that asked at once.
    pub doubled_in_a_race: usize,
    /// Refused to the only client, when a reply was lost and the SDK tried again.
    pub lost_with_a_reply: usize,
    /// Refused to the only client, when the function died after its write and the client asked again.
    pub lost_with_a_function: usize,
    /// Given to another client, when a duplicate of the mint arrived late.
    pub doubled_by_a_late_mint: usize,
}

impl Trial {
    /// How many tokens each trial lost or doubled, in the order of the fields.
    #[must_use]
    pub const fn figures(&self) -> [usize; 4] {
        [self.doubled_in_a_race, self.lost_with_a_reply, self.lost_with_a_function, self.doubled_by_a_late_mint]
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [race, reply, function, mint] = self.figures();
        write!(f, "| {:?} | {race} | {reply} | {function} | {mint} |", self.design)
    }
}

/// Has every design keep `tokens` tokens in each trial, on the emulator at `dynamodb`.
///
/// # Errors
///
/// When a table cannot be made or the emulator fails.
pub async fn run(dynamodb: &str, tokens: usize) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for design in Design::ALL {
        trials.push(trial(design, dynamodb, tokens).await.with_context(|| format!("{design:?}"))?);
    }
    Ok(trials)
}

async fn trial(design: Design, dynamodb: &str, tokens: usize) -> Result<Trial> {
    let table = Table::create(dynamodb).await?;
    let clients: Vec<_> = (0..CLIENTS).map(|_| design.store(&table, dynamodb)).collect();
    let store = &clients[0];
    let proxy = FaultProxy::start(dynamodb).await?;
    let behind_proxy = design.store(&table, &proxy.url);

    let mut trial = Trial {
        design,
        doubled_in_a_race: 0,
        lost_with_a_reply: 0,
        lost_with_a_function: 0,
        doubled_by_a_late_mint: 0,
    };
    for _ in 0..tokens {
        let jti = minted(&**store, row(now())).await?;
        let yes = race(&clients, jti).await.into_iter().filter(|event| is_yes(event.verdict)).count();
        trial.doubled_in_a_race += usize::from(yes > 1);

        let jti = minted(&**store, row(now())).await?;
        // The reply to the write is the last one of a spend.
        let read = (design == Design::GetThenDelete).then_some(Step::Pass);
        proxy.plan(read.into_iter().chain([Step::Fault(WireFault::LostReply)]));
        let told = behind_proxy.spend(&jti, &claimant(), now()).await.ok().map(|spending| spending.verdict);
        ensure!(proxy.left() == 0, "no reply was lost");
        trial.lost_with_a_reply += usize::from(!is_yes(told));

        let jti = minted(&**store, row(now())).await?;
        let claim_of_client = claimant();
        let _never_heard = store.spend(&jti, &claim_of_client, now()).await;
        let told = store.spend(&jti, &claim_of_client, now()).await.ok().map(|spending| spending.verdict);
        trial.lost_with_a_function += usize::from(!is_yes(told));

        let row = row(now());
        let jti = minted(&**store, row.clone()).await?;
        let _first = store.spend(&jti, &claimant(), now()).await?;
        let _duplicate = store.insert(&jti, row).await;
        let told = store.spend(&jti, &claimant(), now()).await.ok().map(|spending| spending.verdict);
        trial.doubled_by_a_late_mint += usize::from(is_yes(told));
    }
    Ok(trial)
}

fn is_yes(verdict: Option<Verdict>) -> bool {
    matches!(verdict, Some(Verdict::Spent { .. }))
}

/// A claimant of its own.
fn claimant() -> Claimant {
    Claimant::from_stored(format!("i:{}", Uuid::new_v4()))
}

/// A token that `store` has just taken.
async fn minted(store: &dyn MintAndSpend, row: Row) -> Result<Jti> {
    let jti = Jti::new(Uuid::new_v4());
    store.insert(&jti, row).await?;
    Ok(jti)
}

/// What a design does here.
trait MintAndSpend: Insert + Spend {}

impl<S: Insert + Spend> MintAndSpend for S {}

/// The store of another design. Its mint is the usual one: a write without a condition.
struct Peer {
    design: Design,
    table: Table,
}

#[async_trait]
impl Insert for Peer {
    async fn insert(&self, jti: &Jti, row: Row) -> Result<(), StoreError> {
        let put = self.table.client.put_item().table_name(&self.table.name).set_item(Some(aws::to_item(jti, row)));
        put.send().await.map(|_| ()).map_err(unavailable)
    }
}

#[async_trait]
impl Spend for Peer {
    async fn spend(&self, jti: &Jti, _claimant: &Claimant, now: Timestamp) -> Result<Spending, StoreError> {
        let (client, table) = (&self.table.client, &self.table.name);
        let jti = AttributeValue::S(jti.to_string());
        let is_ours = match self.design {
            Design::OneConditionalWrite => unreachable!("it has a store of its own"),
            Design::GetThenDelete => {
                let get = client.get_item().table_name(table).key("jti", jti.clone()).consistent_read(true);
                let is_there = get.send().await.map_err(unavailable)?.item.is_some();
                if is_there {
                    client.delete_item().table_name(table).key("jti", jti).send().await.map_err(unavailable)?;
                }
                is_there
            }
            Design::ConditionalDelete => {
                let delete = client.delete_item().table_name(table).key("jti", jti);
                let delete = delete.condition_expression("attribute_exists(jti)");
                match delete.send().await.map_err(SdkError::into_service_error) {
                    Ok(_) => true,
                    Err(DeleteItemError::ConditionalCheckFailedException(_)) => false,
                    Err(err) => return Err(unavailable(err)),
                }
            }
            Design::UpdateWithoutClaimant => {
                let update = client.update_item().table_name(table).key("jti", jti);
                let update = update.update_expression("SET used_at = :now");
                let update = update.expression_attribute_values(":now", AttributeValue::N(now.0.to_string()));
                let condition = "attribute_exists(jti) AND attribute_not_exists(used_at)";
                match update.condition_expression(condition).send().await.map_err(SdkError::into_service_error) {
                    Ok(_) => true,
                    Err(UpdateItemError::ConditionalCheckFailedException(_)) => false,
                    Err(err) => return Err(unavailable(err)),
                }
            }
            Design::DeleteByTransaction => {
                let delete = Delete::builder().table_name(table).key("jti", jti);
                let delete = delete.condition_expression("attribute_exists(jti)").build().map_err(unavailable)?;
                let write =
                    client.transact_write_items().transact_items(TransactWriteItem::builder().delete(delete).build());
                match write.send().await.map_err(SdkError::into_service_error) {
                    Ok(_) => true,
                    Err(TransactWriteItemsError::TransactionCanceledException(_)) => false,
                    Err(err) => return Err(unavailable(err)),
                }
            }
        };
        Ok(if is_ours { Verdict::Spent { replayed: false } } else { Verdict::AlreadyUsed { used_at: now } }.into())
    }
}

/// An outcome that is not known.
fn unavailable(err: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(err.into())
}

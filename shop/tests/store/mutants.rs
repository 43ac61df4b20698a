//! Mutants of the requests that [`shop::aws::DynamoOrders`] sends: the suite detects each.

use std::fmt;

use aws_sdk_dynamodb::config::SharedInterceptor;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeTransmitInterceptorContextMut, dyn_dispatch_hint},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};
use shop::aws::{CONFIRM, IF_ENOUGH, IF_NEW, IF_PENDING, IF_PRODUCT, IF_SEEN, REJECT, TAKE};

use crate::{contract::disagreements, stores::InTables};

/// Replaces a text in every request that has it.
#[derive(Clone, Debug)]
struct Mutant {
    from: String,
    to: String,
}

impl Mutant {
    fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self { from: from.into(), to: to.into() }
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in place of {}", self.to, self.from)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Mutant {
    fn name(&self) -> &'static str {
        "Mutant"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let body = str::from_utf8(request.body().bytes().unwrap_or_default())?.replace(&self.from, &self.to);
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        Ok(())
    }
}

/// Every mutant. DynamoDB refuses a value that no expression uses, so a term is made ineffective and not removed.
fn mutants() -> Vec<Mutant> {
    let condition = |condition: &str| format!(r#""ConditionExpression":"{condition}""#);
    let weaker = |term: &str, or: &str| Mutant::new(condition(term), condition(&format!("{term} OR {or}")));
    vec![
        weaker(IF_NEW, "attribute_exists(id)"),
        weaker(IF_PENDING, "attribute_exists(id)"),
        weaker(IF_PENDING, "attribute_not_exists(id)"),
        weaker(IF_ENOUGH, "attribute_exists(id)"),
        weaker(IF_ENOUGH, "attribute_not_exists(id)"),
        weaker(IF_PRODUCT, "attribute_not_exists(id)"),
        weaker(IF_SEEN, "attribute_exists(id)"),
        weaker(IF_SEEN, "attribute_not_exists(id)"),
        Mutant::new(IF_SEEN, IF_SEEN.replace(" = ", " >= ")),
        Mutant::new(IF_SEEN, IF_SEEN.replace(" = ", " <= ")),
        Mutant::new(IF_ENOUGH, IF_ENOUGH.replace(">=", ">")),
        Mutant::new(TAKE, TAKE.replace(" - ", " + ")),
        Mutant::new(CONFIRM, CONFIRM.replace("#status", "other")),
        Mutant::new(REJECT, REJECT.replace("#status", "other")),
        Mutant::new(REJECT, REJECT.replace("reason", "other")),
        Mutant::new("ALL_OLD", "NONE"),
    ]
}

async fn every_mutant_is_detected(variable: &str) {
    let tables = InTables::create(variable).await;
    assert_eq!(disagreements(&tables).await, Vec::<String>::new());
    for mutant in mutants() {
        let changed = tables.changed(SharedInterceptor::new(mutant.clone()));
        let found = disagreements(&changed).await;
        assert!(!found.is_empty(), "{mutant} is not detected");
        if mutant.from.contains(IF_NEW) {
            // The condition of adding a product is the same text.
            for action in ["place", "add"] {
                assert!(found.iter().any(|found| found.starts_with(action)), "{mutant} is not detected in {action}");
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs ministack at MINISTACK_URL"]
async fn ministack_shows_that_every_part_of_a_request_matters() {
    every_mutant_is_detected("MINISTACK_URL").await;
}

#[tokio::test]
#[ignore = "needs DynamoDB Local at DYNAMODB_LOCAL_URL"]
async fn dynamodb_local_shows_that_every_part_of_a_request_matters() {
    every_mutant_is_detected("DYNAMODB_LOCAL_URL").await;
}

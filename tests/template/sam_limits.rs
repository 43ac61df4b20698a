//! What a flood can cost: throttles for every method, and the caps that are off by default.

use aws::Access;
use harness::FUNCTIONS;

use crate::stack::{Stack, text};

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a68_every_method_is_throttled() {
    for (parameters, rate, burst) in
        [(&[][..], "100", "200"), (&[("ThrottlingRateLimit", "7"), ("ThrottlingBurstLimit", "9")], "7", "9")]
    {
        let stack = Stack::with(parameters);
        let settings = &stack.the("AWS::ApiGateway::Stage")["MethodSettings"][0];
        assert_eq!((&settings["ResourcePath"], &settings["HttpMethod"]), (&"/*".into(), &"*".into()));
        assert_eq!(settings["ThrottlingRateLimit"], rate);
        assert_eq!(settings["ThrottlingBurstLimit"], burst);
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a68_minting_and_spending_are_capped_by_their_own_reserved_concurrency_and_by_default_neither_is() {
    let capped = |parameters: &[(&str, &str)]| -> Vec<_> {
        let stack = Stack::with(parameters);
        let functions = stack.all("AWS::Lambda::Function").into_iter();
        let limits = functions.map(|(id, function)| (id.to_owned(), function["ReservedConcurrentExecutions"].clone()));
        limits.filter(|(_, limit)| !limit.is_null()).map(|(id, limit)| (id, text(&limit))).collect()
    };
    assert!(capped(&[]).is_empty());
    for (parameter, access) in
        [("MintingReservedConcurrency", Access::Mint), ("SpendingReservedConcurrency", Access::Spend)]
    {
        let functions = FUNCTIONS.iter().filter(|function| function.access == Some(access));
        let ids: Vec<_> = functions.map(|function| function.logical_id("Function")).collect();
        // No concurrency at all stops a function, and is not the absence of a limit.
        for limit in ["0", "7"] {
            let expected: Vec<_> = ids.iter().map(|id| (id.clone(), limit.to_owned())).collect();
            assert_eq!(capped(&[(parameter, limit)]), expected, "{parameter}");
        }
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a68_the_writes_to_the_table_can_be_capped_and_the_cap_lifted_and_by_default_there_is_none() {
    let table = |parameters: &[(&str, &str)]| Stack::with(parameters).resources["TokensTable"]["Properties"].clone();
    let unlimited = table(&[]);
    assert_eq!(unlimited["BillingMode"], "PAY_PER_REQUEST");
    assert!(unlimited["OnDemandThroughput"].is_null());
    // -1 is DynamoDB's word for no limit; without the property a table keeps the one that it has.
    for limit in ["7", "-1"] {
        let table = table(&[("MaxWriteRequestUnits", limit)]);
        assert_eq!(table["OnDemandThroughput"]["MaxWriteRequestUnits"], limit);
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a68_a_firewall_can_cap_each_address_and_by_default_there_is_none() {
    let without = Stack::by_default();
    assert!(without.resources.keys().all(|id| !id.starts_with("Web")), "there is a firewall");

    let stack = Stack::with(&[("WafRateLimit", "1000")]);
    let [rule] = &stack.the("AWS::WAFv2::WebACL")["Rules"].as_array().unwrap()[..] else {
        panic!("there is not exactly one rule");
    };
    assert!(rule["Action"]["Block"].is_object(), "{}", rule["Action"]);
    let rate = &rule["Statement"]["RateBasedStatement"];
    assert_eq!((&rate["AggregateKeyType"], &rate["Limit"]), (&"IP".into(), &"1000".into()));
    let association = stack.the("AWS::WAFv2::WebACLAssociation");
    assert_eq!(association["WebACLArn"], "${WebAcl.Arn}");
    let stage = association["ResourceArn"].as_str().unwrap();
    // SAM makes `${Api.Stage}` the id of its stage; a `Ref` to that is the stage's name.
    assert!(stage.ends_with("::/restapis/${Api}/stages/${ApiProdStage}"), "{stage}");
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn the_firewall_keeps_no_sample_of_a_request() {
    // A sample holds whole headers, and with them tokens.
    let stack = Stack::with_all_resources();
    let acl = stack.the("AWS::WAFv2::WebACL");
    assert_eq!(acl["VisibilityConfig"]["SampledRequestsEnabled"], false);
    for rule in acl["Rules"].as_array().unwrap() {
        assert_eq!(rule["VisibilityConfig"]["SampledRequestsEnabled"], false, "{}", rule["Name"]);
    }
}

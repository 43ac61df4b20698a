//! What a flood can cost: throttles for everybody, and the caps that are off by default.

use crate::stack::Stack;

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
fn a68_each_function_is_capped_by_its_own_reserved_concurrency_and_by_default_none_is() {
    let reserved = |stack: &Stack| -> Vec<_> {
        let functions = stack.all("AWS::Lambda::Function").into_iter();
        functions.map(|(id, function)| (id.to_owned(), function["ReservedConcurrentExecutions"].clone())).collect()
    };
    let unlimited = reserved(&Stack::by_default());
    assert!(unlimited.iter().all(|(_, limit)| limit.is_null()), "{unlimited:?}");
    for (capped, _) in &unlimited {
        let parameter = capped.replace("Function", "ReservedConcurrency");
        // 0 stops the function: it is not "no limit".
        for limit in ["0", "7"] {
            for (id, reserved) in reserved(&Stack::with(&[(&parameter, limit)])) {
                assert_eq!(reserved.as_str(), (id == *capped).then_some(limit), "{id} with {parameter}");
            }
        }
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a68_the_writes_to_the_table_can_be_capped_and_by_default_are_not() {
    let table = |stack: &Stack| stack.the("AWS::DynamoDB::Table").clone();
    let unlimited = table(&Stack::by_default());
    assert_eq!(unlimited["BillingMode"], "PAY_PER_REQUEST");
    assert!(unlimited["OnDemandThroughput"].is_null());
    let capped = table(&Stack::with(&[("MaxWriteRequestUnits", "7")]));
    assert_eq!(capped["OnDemandThroughput"]["MaxWriteRequestUnits"], "7");
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

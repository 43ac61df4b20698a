//! The hosting of the page, which is off by default.

use serde_json::{Value, json};

use crate::template::{properties, template};

/// What serves the page.
const RESOURCES: [&str; 6] =
    ["Distribution", "SiteAccessControl", "SiteBucket", "SiteBucketPolicy", "SiteHeaders", "SitePaths"];

#[test]
fn nothing_of_it_is_there_unless_the_parameter_says_so() {
    let template = template();
    assert_eq!(template["Parameters"]["WebHosting"]["Default"], "false");
    let resources = template["Resources"].as_object().unwrap().iter();
    let of_hosting = resources.filter(|(_, resource)| resource["Condition"] == "HasWebHosting");
    assert_eq!(of_hosting.map(|(id, _)| id.as_str()).collect::<Vec<_>>(), RESOURCES);
    for output in ["SiteBucket", "DistributionUrl"] {
        assert_eq!(template["Outputs"][output]["Condition"], "HasWebHosting", "{output}");
    }
}

#[test]
fn only_the_distribution_reads_the_bucket() {
    let bucket = properties("SiteBucket");
    let blocked: Vec<&Value> = bucket["PublicAccessBlockConfiguration"].as_object().unwrap().values().collect();
    assert_eq!(blocked, [true; 4]);
    let read = json!([{
        "Sid": "ReadByTheDistribution", "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject", "Resource": "${SiteBucket.Arn}/*",
        "Condition": {"StringEquals": {
            "AWS:SourceArn": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}",
        }},
    }]);
    assert_eq!(properties("SiteBucketPolicy")["PolicyDocument"]["Statement"], read);
    let config = &properties("Distribution")["DistributionConfig"];
    let page = config["Origins"].as_array().unwrap().iter().find(|origin| origin["Id"] == "page").unwrap();
    assert_eq!(page["OriginAccessControlId"], "SiteAccessControl.Id");
}

#[test]
fn the_api_has_the_origin_of_the_page_and_no_response_of_it_is_cached_or_replaced() {
    const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
    const ALL_VIEWER_EXCEPT_HOST_HEADER: &str = "b689b0a8-53d0-40ab-baf2-38738e2966ac";

    let config = &properties("Distribution")["DistributionConfig"];
    let [api] = config["CacheBehaviors"].as_array().unwrap().as_slice() else { panic!("one behavior") };
    assert_eq!((&api["PathPattern"], &api["TargetOriginId"]), (&json!("/api/*"), &json!("api")));
    assert_eq!(properties("ShopApi")["StageName"], "api", "no rewrite is needed");
    assert_eq!((&api["CachePolicyId"], &api["ViewerProtocolPolicy"]), (&json!(CACHING_DISABLED), &json!("https-only")));
    // Cookies, Authorization and X-Access-Token reach the API.
    assert_eq!(api["OriginRequestPolicyId"], ALL_VIEWER_EXCEPT_HOST_HEADER);
    assert!(api["AllowedMethods"].as_array().unwrap().len() == 7);
    assert!(config.get("CustomErrorResponses").is_none(), "they would replace the errors of the API, too");
    let page = &config["DefaultCacheBehavior"];
    assert_eq!(page["ViewerProtocolPolicy"], "redirect-to-https");
    assert_eq!(page["ResponseHeadersPolicyId"], "SiteHeaders");
    assert_eq!(
        page["FunctionAssociations"],
        json!([{"EventType": "viewer-request", "FunctionARN": "SitePaths.FunctionARN"}])
    );
}

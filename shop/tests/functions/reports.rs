//! `report`, `reports` and `report_link`.

use std::sync::{Arc, atomic::Ordering};

use apigw::Settings;
use in_memory::InMemoryDocuments;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::{Value, json, value::to_raw_value};
use shop::{
    Customer, Executions as _, Line, Order, OrderId, Product, Status,
    functions::{
        TaskError,
        report::{self, Written},
        report_link, reports,
    },
};
use tokens::{Checker, Issuer, Jti, Timestamp, Token};
use uuid::Uuid;

use crate::helpers::{
    Answer, NOW, Shop, answer, event, other_tokens, person, product, product_id, setting, setting_with,
};

const STARTED_AT: &str = "2023-11-14T22:13:20.123Z"; // NOW
const SECONDS_PER_DAY: u64 = 86_400;

/// What a branch of the report machine does.
async fn write_at(
    shop: &Shop,
    documents: &Arc<InMemoryDocuments>,
    report: &str,
    id: &str,
) -> Result<Written, TaskError> {
    let ports = report::Ports {
        keys: shop.keys.clone(),
        tokens: shop.tokens.clone(),
        catalogue: shop.catalogue.clone(),
        sales: shop.data.clone(),
        documents: documents.clone(),
        now: || NOW,
    };
    let setting = setting_with("TOKEN_AUDIENCE", "shop.eu-west-1/reports");
    let service = report::Service::new(Settings::new(&setting), ports).unwrap();
    let input = to_raw_value(&json!({"report": report, "started_at": STARTED_AT})).unwrap();
    let mut context = Context::default();
    id.clone_into(&mut context.request_id);
    report::handle(&service, LambdaEvent::new(input, context)).await
}

/// The HTML of a report of a shop.
async fn html(shop: &Shop, report: &str) -> String {
    let documents = Arc::new(InMemoryDocuments::new());
    let written = write_at(shop, &documents, report, "invocation").await.unwrap();
    documents.html(&written.id).unwrap()
}

/// Puts an order into the shop.
fn ordered(shop: &Shop, customer_name: &str, product: &Product, quantity: u32, status: Status, placed_at: Timestamp) {
    let line = Line {
        product_id: product.id.clone(),
        product_name: product.product_name.clone(),
        quantity,
        price: product.price,
    };
    let customer = Customer::new(customer_name, "canary@example.com", "+99 000 111 222").unwrap();
    let order = Order { id: OrderId::new(Uuid::new_v4()), customer, items: vec![line], placed_at };
    shop.data.set_order(order, status);
}

/// The token in the link of a mail.
fn token(written: &Written) -> String {
    let (_, token) = written.mail.trim_end().split_once("\nhttps://shop.example.com/report#").unwrap();
    token.to_owned()
}

#[tokio::test]
async fn a_report_is_written_and_its_link_has_the_token_that_is_named_as_the_file() {
    let (shop, documents) = (Shop::new(), Arc::new(InMemoryDocuments::new()));
    for (report, name) in [("orders", "Orders"), ("products", "Products")] {
        let written = write_at(&shop, &documents, report, "invocation").await.unwrap();
        assert!(documents.html(&written.id).unwrap().contains(&format!("<h1>{name}</h1>")));
        let (line, _) = written.mail.split_once('\n').unwrap();
        assert_eq!(line, format!("{name}: this link opens the report once, until 2023-11-14T22:43:20Z."));
        let checker = |aud: &str| Checker::new(&Issuer { iss: "shop.eu-west-1".into(), aud: aud.into() }, Timestamp(0));
        let token = Token::new(token(&written));
        let checked = checker("shop.eu-west-1/reports").look(&token, &*shop.keys, NOW).await.unwrap().unwrap();
        assert_eq!((checked.claims.jti, checked.refusal), (written.id, None));
        // It is no checkout token.
        assert!(checker("shop.eu-west-1/api").look(&token, &*shop.keys, NOW).await.unwrap().is_none());
        assert!(shop.tokens.row(&written.id).is_some());
    }
}

#[tokio::test]
async fn two_reports_at_once_and_a_repeated_step_do_not_mix() {
    let (shop, documents) = (Shop::new(), Arc::new(InMemoryDocuments::new()));
    let write = |report, id| write_at(&shop, &documents, report, id);
    let one = write("orders", "one").await.unwrap();
    // Lambda delivers the same invocation again.
    let repeated = write("orders", "one").await.unwrap();
    let other = write("orders", "other").await.unwrap();
    assert_eq!(documents.count(), 3);
    for (a, b) in [(&one, &repeated), (&one, &other), (&repeated, &other)] {
        assert_ne!(a.id, b.id);
        assert_ne!(token(a), token(b));
    }
}

#[tokio::test]
async fn an_empty_shop_has_both_reports() {
    let shop = Shop::new();
    assert!(html(&shop, "orders").await.contains("There were no orders in these days."));
    for id in ["1", "2"] {
        shop.data.remove_product(&product_id(id));
    }
    assert!(html(&shop, "products").await.contains("There are no products."));
}

#[tokio::test]
async fn a_report_has_no_customer_in_it() {
    let shop = Shop::new();
    for status in [Status::Pending, Status::Confirmed, Status::Rejected] {
        ordered(&shop, "Canary Name", &product("1", 200), 1, status, NOW);
    }
    let orders = html(&shop, "orders").await;
    assert_eq!(orders.matches("1\u{a0}× Cookie 1").count(), 3);
    for html in [orders, html(&shop, "products").await] {
        for canary in ["Canary", "canary", "+99 000"] {
            assert!(!html.contains(canary), "{canary}");
        }
    }
}

#[tokio::test]
async fn what_is_html_in_a_name_is_text_in_a_report() {
    let shop = Shop::new();
    let hostile = "</title></style><script>alert(1)</script><img src=x onerror=\"alert('1')\">&amp;";
    let cookie = Product { product_name: hostile.into(), ..product("1", 200) };
    shop.data.put_product(cookie.clone());
    ordered(&shop, hostile, &cookie, 7, Status::Confirmed, NOW);
    for report in ["orders", "products"] {
        let html = html(&shop, report).await;
        for part in ["<script", "<img"] {
            assert!(!html.contains(part), "{report} has {part}");
        }
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{report}");
        // One of each, in the head.
        assert_eq!((html.matches("</style>").count(), html.matches("<style").count()), (1, 1), "{report}");
    }
}

#[tokio::test]
async fn a_report_runs_no_script_and_loads_nothing() {
    let shop = Shop::new();
    ordered(&shop, "Ada Lovelace", &product("1", 200), 1, Status::Confirmed, NOW);
    for report in ["orders", "products"] {
        let html = html(&shop, report).await;
        let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
        assert!(html.contains(&format!("http-equiv=\"Content-Security-Policy\" content=\"{policy}\"")), "{report}");
        for part in [
            "<script",
            "javascript:",
            " onclick=",
            " onerror=",
            " onload=",
            "href=",
            "src=",
            "url(",
            "@import",
            "http:",
            "https:",
        ] {
            assert!(!html.contains(part), "{report} has {part}");
        }
    }
}

#[tokio::test]
async fn a_report_covers_the_days_until_its_execution_was_started() {
    let shop = Shop::new();
    let midnight = NOW.minus(NOW.0 % SECONDS_PER_DAY);
    for (quantity, placed_at) in [
        (1, midnight.minus(29 * SECONDS_PER_DAY + 1)),
        (20, midnight.minus(29 * SECONDS_PER_DAY)),
        (30, NOW),
        (4, NOW.plus(1)),
    ] {
        ordered(&shop, "Ada Lovelace", &product("1", 200), quantity, Status::Confirmed, placed_at);
    }
    let html = html(&shop, "orders").await;
    assert!(html.contains("<dt>Cookies sold</dt><dd>50</dd>"), "{html}");
    assert!(html.contains("As of <time datetime=\"2023-11-14T22:13:20Z\">2023-11-14 22:13 UTC</time>"), "{html}");
}

#[tokio::test]
async fn a_report_that_cannot_be_made_is_retried_unless_its_input_is_wrong() {
    let (shop, documents) = (Shop::new(), Arc::new(InMemoryDocuments::new()));
    for (report, name) in [("orders", "Unavailable"), ("customers", "Invalid")] {
        let shop = if name == "Unavailable" { Shop::new().without_keys() } else { Shop::new() };
        let outcome = write_at(&shop, &documents, report, "invocation").await;
        assert_eq!(Diagnostic::from(outcome.unwrap_err()).error_type, name, "{report}");
    }
    shop.catalogue.fails.store(true, Ordering::Relaxed);
    let outcome = write_at(&shop, &documents, "products", "invocation").await;
    assert_eq!(Diagnostic::from(outcome.unwrap_err()).error_type, "Unavailable");
    // That of the first attempt, which got no token: it is never sent.
    assert_eq!(documents.count(), 1);
}

/// The answer of `reports` to a person who is signed in.
async fn ask(shop: &Shop, method: &str, path: &str, arn: Option<&str>) -> Answer {
    ask_as(shop, &person(""), method, path, arn).await
}

async fn ask_as(shop: &Shop, authorizer: &Value, method: &str, path: &str, arn: Option<&str>) -> Answer {
    let documents = Arc::new(InMemoryDocuments::new());
    let service = reports::Service::new(Settings::new(&setting), shop.look.clone(), documents).unwrap();
    let parameters = arn.map_or(Value::Null, |arn| json!({ "executionArn": arn }));
    let path = arn.map_or_else(|| path.to_owned(), |arn| path.replace("{}", arn));
    let event = event(&json!({
        "httpMethod": method, "path": path, "pathParameters": parameters, "requestContext": {"authorizer": authorizer},
    }));
    answer(&reports::handle(&service, event).await.unwrap())
}

const STATUS: &str = "/create-report/status/{}";
const URLS: &str = "/get-presigned-urls/{}";

/// Starts an execution; its ARN and its ID.
async fn started(shop: &Shop) -> (String, Jti) {
    let answer = ask(shop, "POST", "/create-report", None).await;
    assert_eq!(answer.status, 202);
    let arn = answer.body["executionArn"].as_str().unwrap().to_owned();
    let id = Jti::parse(arn.rsplit(':').next().unwrap()).unwrap();
    assert_eq!(answer.body, json!({ "executionArn": shop.executions.arn(&id) }));
    (arn, id)
}

#[tokio::test]
async fn each_post_starts_an_execution_of_its_own() {
    let shop = Shop::new();
    let (one, other) = (started(&shop).await, started(&shop).await);
    assert_ne!(one, other);
    for (arn, _) in [&one, &other] {
        assert_eq!(ask(&shop, "GET", STATUS, Some(arn)).await.body, json!({"status": "RUNNING"}));
    }
}

#[tokio::test]
async fn the_urls_of_both_reports_are_there_when_the_execution_has_succeeded() {
    let shop = Shop::new();
    let (arn, id) = started(&shop).await;
    assert_eq!(ask(&shop, "GET", URLS, Some(&arn)).await.refusal(), (409, "not_ready"));
    let [orders, products] = [(); 2].map(|()| Jti::new(Uuid::new_v4()));
    shop.executions.succeed(&id, &json!([orders, products]).to_string());
    let url = |id| format!("https://reports.example.com/{id}?seconds=300");
    let expected = json!({"urls": {"orders": url(orders), "products": url(products)}, "expires_in": 300});
    assert_eq!(ask(&shop, "GET", URLS, Some(&arn)).await, Answer { status: 200, body: expected });
    assert_eq!(ask(&shop, "GET", STATUS, Some(&arn)).await.body, json!({"status": "SUCCEEDED"}));
    // API Gateway may leave the ARN encoded.
    assert_eq!(ask(&shop, "GET", URLS, Some(&arn.replace(':', "%3A"))).await.status, 200);
}

#[tokio::test]
async fn reports_that_failed_have_a_status_and_no_urls() {
    let shop = Shop::new();
    for status in ["FAILED", "TIMED_OUT", "ABORTED"] {
        let (arn, id) = started(&shop).await;
        shop.executions.end(&id, status, Some("Unavailable"));
        assert_eq!(ask(&shop, "GET", STATUS, Some(&arn)).await.body, json!({ "status": status }));
        assert_eq!(ask(&shop, "GET", URLS, Some(&arn)).await.refusal(), (409, "not_ready"));
    }
}

#[tokio::test]
async fn only_a_person_with_an_access_token_makes_and_opens_reports() {
    let shop = Shop::new();
    let (arn, _) = started(&shop).await;
    let guard = spent(&Uuid::new_v4().to_string(), "request");
    let others = other_tokens().into_iter().map(|authorizer| (authorizer, (401, "unauthorized")));
    // A route without the authorizer, or with the other one.
    let routes = [json!({}), guard].map(|authorizer| (authorizer, (500, "internal")));
    for (authorizer, refusal) in others.chain(routes) {
        for (method, path, arn) in
            [("POST", "/create-report", None), ("GET", STATUS, Some(&*arn)), ("GET", URLS, Some(&*arn))]
        {
            assert_eq!(ask_as(&shop, &authorizer, method, path, arn).await.refusal(), refusal, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn an_execution_of_another_machine_or_of_none_is_404() {
    let shop = Shop::new();
    let (arn, id) = started(&shop).await;
    let unknown = Jti::new(Uuid::new_v4()).to_string();
    for other in [
        &arn.replace(":execution:", ":execution:other-"),
        &arn.replace(&id.to_string(), &unknown),
        &id.to_string(),
        &format!("{arn}x"),
        "%FF",
        "",
    ] {
        for path in [STATUS, URLS] {
            assert_eq!(ask(&shop, "GET", path, Some(other)).await.refusal(), (404, "not_found"), "{other}");
        }
    }
}

#[tokio::test]
async fn without_step_functions_it_is_503() {
    let shop = Shop::new();
    let (arn, _) = started(&shop).await;
    shop.look.fails.store(true, Ordering::Relaxed);
    for path in [STATUS, URLS] {
        assert_eq!(ask(&shop, "GET", path, Some(&arn)).await.refusal(), (503, "unavailable"));
    }
}

/// The answer of `report_link` with an authorizer's context.
async fn open(context: Value) -> Answer {
    let service = report_link::Service::new(Settings::new(&setting), Arc::new(InMemoryDocuments::new())).unwrap();
    let context = json!({"requestId": "request", "authorizer": context});
    let event = event(&json!({"httpMethod": "POST", "path": "/report-link", "requestContext": context}));
    answer(&report_link::handle(&service, event).await.unwrap())
}

/// The context that the guard passes on.
fn spent(jti: &str, spent_for: &str) -> Value {
    let time = "2023-11-14T22:13:20Z";
    json!({
        "jti": jti, "issuedAt": time, "usedAt": time, "host": "", "spentFor": spent_for, "decidedAt": time,
        "principalId": jti,
    })
}

#[tokio::test]
async fn a_link_opens_the_report_of_its_token() {
    let id = Uuid::new_v4().to_string();
    let expected = json!({"url": format!("https://reports.example.com/{id}?seconds=60"), "expires_in": 60});
    assert_eq!(open(spent(&id, "request")).await, Answer { status: 200, body: expected });
}

#[tokio::test]
async fn without_a_decision_of_the_guard_for_this_request_no_report_is_opened() {
    let id = Uuid::new_v4().to_string();
    for context in [
        spent(&id, "another-request"),
        spent("../products", "request"),
        spent("", "request"),
        // The context of a signed-in person.
        json!({"claims": {"jti": id, "sub": id}}),
        json!({}),
        Value::Null,
    ] {
        assert_eq!(open(context.clone()).await.refusal(), (500, "internal"), "{context}");
    }
}

#[test]
fn debug_shows_no_token() {
    let written = Written { id: Jti::new(Uuid::nil()), mail: "eyJ".into() };
    assert_eq!(format!("{written:?}"), "Written { .. }");
}

#[test]
fn the_settings_of_a_report_are_checked_at_its_start() {
    let shop = Shop::new();
    let service = |name, value| {
        let ports = report::Ports {
            keys: shop.keys.clone(),
            tokens: shop.tokens.clone(),
            catalogue: shop.catalogue.clone(),
            sales: shop.data.clone(),
            documents: Arc::new(InMemoryDocuments::new()),
            now: || NOW,
        };
        report::Service::new(Settings::new(&setting_with(name, value)), ports).map(drop)
    };
    assert!(service("SITE_URL", "https://shop.example.com").is_ok());
    for (name, value) in
        [("TOKEN_TTL_SECONDS", "0"), ("TOKEN_TTL_SECONDS", "86401"), ("SITE_URL", ""), ("TOKEN_AUDIENCE", "")]
    {
        assert!(service(name, value).unwrap_err().to_string().contains(name), "{name}={value}");
    }
}

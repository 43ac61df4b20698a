//! The reports of the deployed shop: written, mailed, opened once.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use shop::ProductId;
use uuid::Uuid;

use crate::{
    emulator::{Emulator, Principal, body},
    logs::messages,
};

/// A queue that is subscribed to the topic of the reports.
struct Mailbox<'a> {
    emulator: &'a Emulator,
    queue_url: String,
    subscription: String,
}

/// The links of a mail.
#[derive(Clone, Debug)]
struct Links {
    orders: String,
    products: String,
}

impl<'a> Mailbox<'a> {
    async fn new(emulator: &'a Emulator) -> Self {
        let name = format!("reports-{}", Uuid::new_v4());
        let topic = emulator.physical_id("ReportsTopic").await;
        let queue = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": queue, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }]});
        let create = json!({"QueueName": name, "Attributes": {"Policy": policy.to_string()}});
        let created = emulator.json(&Principal::root(), "sqs", "AmazonSQS.CreateQueue", &create).await;
        let subscribe =
            [("Action", "Subscribe"), ("TopicArn", &topic), ("Protocol", "sqs"), ("Endpoint", queue.as_str())];
        let subscription = emulator.query("sns", &subscribe, "SubscriptionArn").await;
        Self { emulator, queue_url: created["QueueUrl"].as_str().unwrap().to_owned(), subscription }
    }

    /// The text of the next mail.
    async fn next(&self) -> String {
        for _ in 0..600 {
            let receive = json!({"QueueUrl": self.queue_url, "MaxNumberOfMessages": 1});
            let received = self.emulator.json(&Principal::root(), "sqs", "AmazonSQS.ReceiveMessage", &receive).await;
            if let Some(message) = received["Messages"].get(0) {
                let delete = json!({"QueueUrl": self.queue_url, "ReceiptHandle": message["ReceiptHandle"]});
                self.emulator.json(&Principal::root(), "sqs", "AmazonSQS.DeleteMessage", &delete).await;
                let mail: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
                assert_eq!(mail["Subject"], "Your reports are ready");
                return mail["Message"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no mail has come");
    }

    /// The links to the reports of an execution with this output.
    async fn links_of(&self, output: &Value) -> Links {
        loop {
            let links = links(&self.next().await);
            if ids(self.emulator, &links).await == *output {
                return links;
            }
        }
    }

    async fn close(self) {
        let unsubscribe = [("Action", "Unsubscribe"), ("SubscriptionArn", self.subscription.as_str())];
        self.emulator.query("sns", &unsubscribe, "RequestId").await;
        let delete = json!({"QueueUrl": self.queue_url});
        self.emulator.json(&Principal::root(), "sqs", "AmazonSQS.DeleteQueue", &delete).await;
    }
}

/// The tokens in the links of a mail.
fn links(mail: &str) -> Links {
    let lines: Vec<_> = mail.lines().filter(|line| !line.is_empty()).collect();
    let [orders, orders_link, products, products_link] = lines[..] else { panic!("{} lines", lines.len()) };
    assert!(orders.starts_with("Orders: this link opens the report once, until "));
    assert!(products.starts_with("Products: this link opens the report once, until "));
    let token = |link: &str| {
        let (page, token) = link.split_once('#').unwrap();
        assert!(page.ends_with("/report"), "{page}");
        token.to_owned()
    };
    Links { orders: token(orders_link), products: token(products_link) }
}

/// The IDs of the reports that the links of a mail open, as the output of their execution has them.
async fn ids(emulator: &Emulator, links: &Links) -> Value {
    json!([emulator.report_id(&links.orders).await, emulator.report_id(&links.products).await])
}

/// Starts the making of reports as `reports` does; returns the output of the execution.
async fn make(emulator: &Emulator) -> Value {
    let machine = emulator.physical_id("ReportMachine").await;
    let start = json!({"stateMachineArn": machine, "name": Uuid::new_v4().to_string(), "input": "{}"});
    let started = emulator.json(&Principal::root(), "states", "AWSStepFunctions.StartExecution", &start).await;
    let describe = json!({"executionArn": started["executionArn"]});
    for _ in 0..600 {
        let found = emulator.json(&Principal::root(), "states", "AWSStepFunctions.DescribeExecution", &describe).await;
        match found["status"].as_str().unwrap() {
            "RUNNING" => tokio::time::sleep(Duration::from_millis(100)).await,
            "SUCCEEDED" => return serde_json::from_str(found["output"].as_str().unwrap()).unwrap(),
            _ => panic!("{found}"),
        }
    }
    panic!("the reports are still being made");
}

/// Buys some of a product.
async fn buy(emulator: &Emulator, cookie: &ProductId, quantity: u32) -> String {
    let (token, id) = emulator.token(1800).await;
    let (status, answer) = emulator.order(&token, &body(cookie, quantity)).await;
    assert_eq!(status, 202, "{answer}");
    assert_eq!(emulator.outcome(&id).await.0, "SUCCEEDED");
    id.to_string()
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_the_mailed_links_open_the_reports_once_each() {
    let emulator = Emulator::new();
    let cookie = emulator.product(10).await;
    let order = buy(&emulator, &cookie, 3).await;
    let mailbox = Mailbox::new(&emulator).await;
    let output = make(&emulator).await;
    let links = mailbox.links_of(&output).await;

    for (token, heading, part) in
        [(&links.orders, "<h1>Orders</h1>", order.as_str()), (&links.products, "<h1>Products</h1>", "Days left")]
    {
        let (status, opened) = emulator.post("/report-link", Some(token)).await;
        assert_eq!((status, &opened["expires_in"]), (200, &json!(60)), "{opened}");
        let (status, headers, html) = emulator.ask(Method::GET, opened["url"].as_str().unwrap(), &[], "").await;
        assert_eq!(status, 200, "{html}");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(headers["cache-control"], "no-store");
        assert!(html.contains(heading) && html.contains(part));
        for customer in ["Ada Lovelace", "ada@example.com", "+1 555"] {
            assert!(!html.contains(customer));
        }

        let (status, refused) = emulator.post("/report-link", Some(token)).await;
        assert_eq!((status, &refused["reason"]), (401, &json!("already_used")), "{refused}");
        let used_at = apigw::parse_rfc3339(refused["usedAt"].as_str().unwrap()).unwrap();
        assert!(apigw::epoch_seconds() - used_at < 60);
    }
    mailbox.close().await;
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_a_scanner_that_gets_every_link_of_a_mail_spends_nothing() {
    let emulator = Emulator::new();
    let mailbox = Mailbox::new(&emulator).await;
    let output = make(&emulator).await;
    let links = mailbox.links_of(&output).await;
    // The page's own address is tested in a browser. These are what a scanner could make of it.
    for path in
        ["/report-link", &format!("/report-link?token={}", links.orders), &format!("/report-link/{}", links.orders)]
    {
        assert_eq!(emulator.get(path).await.0, 403, "{path}");
    }
    let in_query = format!("/report-link?token={}", links.orders);
    assert_eq!(emulator.post(&in_query, None).await.0, 401);
    assert_eq!(emulator.post("/report-link", Some(&links.orders)).await.0, 200);
    mailbox.close().await;
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_two_runs_at_once_do_not_mix() {
    let emulator = Emulator::new();
    let mailbox = Mailbox::new(&emulator).await;
    let outputs = join_all((0..3).map(|_| make(&emulator))).await;
    let mut mails = Vec::new();
    while mails.len() < outputs.len() {
        // Those of other tests come here too.
        let mail = ids(&emulator, &links(&mailbox.next().await)).await;
        if outputs.contains(&mail) {
            mails.push(mail);
        }
    }
    for output in &outputs {
        assert!(mails.contains(output), "each mail has the two links of one execution");
    }
    mailbox.close().await;
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_a_checkout_token_opens_no_report_and_a_link_makes_no_order() {
    let emulator = Emulator::new();
    let cookie = emulator.product(5).await;
    let mailbox = Mailbox::new(&emulator).await;
    let output = make(&emulator).await;
    let links = mailbox.links_of(&output).await;
    let (token, _) = emulator.token(1800).await;
    for refused in [
        emulator.post("/report-link", Some(&token)).await,
        emulator.post("/report-link", Some("x")).await,
        emulator.order(&links.orders, &body(&cookie, 1)).await,
    ] {
        assert_eq!((refused.0, &refused.1["reason"]), (401, &json!("invalid_token")), "{refused:?}");
    }
    let without = emulator.post("/report-link", None).await;
    assert_eq!((without.0, &without.1["reason"]), (401, &json!("invalid_request")));
    // Both are as good as before.
    assert_eq!(emulator.order(&token, &body(&cookie, 1)).await.0, 202);
    assert_eq!(emulator.post("/report-link", Some(&links.orders)).await.0, 200);
    mailbox.close().await;
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_a_link_that_has_expired_opens_nothing() {
    let emulator = Emulator::new();
    let (expired, _) = emulator.token_for("reports", 0).await;
    let (status, refused) = emulator.post("/report-link", Some(&expired)).await;
    assert_eq!((status, &refused["reason"]), (401, &json!("expired")), "{refused}");
    // One that has not gets further: there is no report with its ID.
    let (token, _) = emulator.token_for("reports", 60).await;
    assert_eq!(emulator.post("/report-link", Some(&token)).await.0, 200);
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_no_log_holds_a_link_or_a_url_of_a_report() {
    let emulator = Emulator::new();
    let mailbox = Mailbox::new(&emulator).await;
    let output = make(&emulator).await;
    let links = mailbox.links_of(&output).await;
    // Opened, used before, and forged.
    assert_eq!(emulator.post("/report-link", Some(&links.orders)).await.0, 200);
    assert_eq!(emulator.post("/report-link", Some(&links.orders)).await.0, 401);
    let forged = format!("{}x", links.products);
    assert_eq!(emulator.post("/report-link", Some(&forged)).await.0, 401);
    let misspelt = json!({"report": links.orders, "started_at": links.products});
    assert_eq!(emulator.invoke("ReportFunction", &misspelt).await["errorType"], "Invalid");

    let messages = messages(&emulator).await;
    assert!(messages.contains("already_used"), "this is not the log of the guard");
    for part in ["eyJ", "X-Amz-Signature", "X-Amz-Security-Token"] {
        assert!(!messages.contains(part), "{part} was logged");
    }
    for token in [links.orders, links.products] {
        assert!(!messages.contains(token.rsplit('.').next().unwrap()), "a MAC was logged");
    }
    mailbox.close().await;
}

//! The functions of the shop. Lambda names the one to run in `_HANDLER`: the `Handler` of the template.

use apigw::Settings;
use lambda_runtime::{Error, service_fn};
use shop::{
    aws::{
        Cognito, DynamoCatalogue, DynamoOrderList, DynamoOrders, DynamoSales, HttpsProductsApi, S3Documents, SecretKey,
        StepFunctions,
    },
    functions::{
        checkout, crud, logged, new_order, orders, products, proxy, report, report_link, reports, session,
        update_inventory,
    },
};
use tokens::{KeyStore as _, Timestamp};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    apigw::init_telemetry(env!("CARGO_CRATE_NAME"))?;
    let settings = Settings::new(&apigw::env);
    match settings.text("_HANDLER")?.as_str() {
        "products" => {
            let service = products::Service::new(settings, DynamoCatalogue::from_settings(settings)?)?;
            lambda_runtime::run(service_fn(|event| products::handle(&service, event))).await
        }
        "checkout" => {
            let now = || Timestamp(apigw::epoch_seconds());
            let keys = aws::key_store(settings)?;
            // Fetched before the first request; a failure is logged, and the ring fetched again when it is needed.
            let _ring = keys.ring(now()).await;
            let catalogue = DynamoCatalogue::from_settings(settings)?;
            let ports = checkout::Ports {
                keys,
                catalogue,
                executions: StepFunctions::from_settings(settings, "ORDER_MACHINE_ARN")?,
                now,
            };
            let service = checkout::Service::new(settings, ports)?;
            lambda_runtime::run(service_fn(|event| checkout::handle(&service, event))).await
        }
        "new_order" => {
            let orders = DynamoOrders::from_settings(settings)?;
            let service = new_order::Service { tokens: aws::token_store(settings)?, orders };
            lambda_runtime::run(service_fn(|event| logged(new_order::handle(&service, event)))).await
        }
        "update_inventory" => {
            let service = update_inventory::Service { orders: DynamoOrders::from_settings(settings)? };
            lambda_runtime::run(service_fn(|event| logged(update_inventory::handle(&service, event)))).await
        }
        "orders" => {
            let service = orders::Service::new(settings, DynamoOrderList::from_settings(settings)?)?;
            lambda_runtime::run(service_fn(|event| orders::handle(&service, event))).await
        }
        "proxy" => {
            let api = HttpsProductsApi::from_settings(settings)?;
            let ports = proxy::Ports { api, key: SecretKey::from_settings(settings)? };
            let service = proxy::Service::new(settings, ports)?;
            service.warm_up().await;
            lambda_runtime::run(service_fn(|event| proxy::handle(&service, event))).await
        }
        "crud" => {
            let service = crud::Service::new(settings, DynamoCatalogue::from_settings(settings)?)?;
            lambda_runtime::run(service_fn(|event| crud::handle(&service, event))).await
        }
        "session" => {
            let service = session::Service::new(settings, Cognito::from_settings(settings)?)?;
            lambda_runtime::run(service_fn(|event| session::handle(&service, event))).await
        }
        "reports" => {
            let executions = StepFunctions::from_settings(settings, "REPORT_MACHINE_ARN")?;
            let service = reports::Service::new(settings, executions, S3Documents::from_settings(settings)?)?;
            lambda_runtime::run(service_fn(|event| reports::handle(&service, event))).await
        }
        "report_link" => {
            let service = report_link::Service::new(settings, S3Documents::from_settings(settings)?)?;
            lambda_runtime::run(service_fn(|event| report_link::handle(&service, event))).await
        }
        "report" => {
            let ports = report::Ports {
                keys: aws::key_store(settings)?,
                tokens: aws::token_store(settings)?,
                catalogue: DynamoCatalogue::from_settings(settings)?,
                sales: DynamoSales::from_settings(settings)?,
                documents: S3Documents::from_settings(settings)?,
                now: || Timestamp(apigw::epoch_seconds()),
            };
            let service = report::Service::new(settings, ports)?;
            lambda_runtime::run(service_fn(|event| logged(report::handle(&service, event)))).await
        }
        other => Err(format!("there is no function {other}").into()),
    }
}

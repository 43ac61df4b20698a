//! `local`: serves the API of `template.yaml` on this machine. See [`local`].

use std::io::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use local::{Options, Server};

/// Serves the API of a SAM template on this machine, as Amazon API Gateway would.
#[derive(Debug, Parser)]
#[command(version, after_help = format!(
    "Requests to routes with AWS_IAM are signed with the access key {}, whose secret is {}.",
    local::ACCESS_KEY_ID,
    local::SECRET_ACCESS_KEY
))]
struct Arguments {
    /// Port to listen on.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// IP address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Path of the SAM template.
    #[arg(long, default_value = "template.yaml")]
    template: PathBuf,
    /// Values of the template's parameters instead of their defaults. Like SAM's option, it ends at the next one.
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    parameter_overrides: Vec<String>,
    /// The Region: the value of `AWS::Region`, and the scope of signatures.
    #[arg(long)]
    region: Option<String>,
    /// Enforce the template's throttling.
    #[arg(long)]
    throttle: bool,
    /// Keep the tokens in DynamoDB at this URL instead of in memory.
    #[arg(long, value_name = "URL", requires = "table")]
    dynamodb: Option<String>,
    /// Name of the table of tokens. On a loopback URL it is created if it is missing.
    #[arg(long, value_name = "NAME", requires = "dynamodb")]
    table: Option<String>,
}

/// Runs the program; a failure is one line on standard error.
#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            _ = writeln!(std::io::stderr(), "error: {err:#}");
            ExitCode::FAILURE
        }
    }
}

/// Starts, prints what is served, and serves until a signal ends the process.
async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { port, host, template, parameter_overrides, region, throttle, dynamodb, table } = arguments;
    let parameters = local::parameter_overrides(&parameter_overrides)
        .map_err(|problem| anyhow::anyhow!("--parameter-overrides: {problem}"))?;
    let files = local::documents(&template);
    let options = Options { host, port, template, parameters, region, throttle, files };
    let functions = match dynamodb.zip(table) {
        Some((url, table)) => {
            let store = local::dynamodb(&url, &table).await?;
            tracing::warn!("with --dynamodb nothing is counted, and GET /usage answers 503");
            local::functions_over(store)?
        }
        None => local::functions()?,
    };
    let server = Server::bind(options, &functions).await?;
    for warning in server.warnings() {
        tracing::warn!("{warning}");
    }
    // A closed standard output must not stop it.
    _ = write!(std::io::stdout(), "{}", server.summary());
    server.serve(termination()?).await?;
    Ok(())
}

/// Ready at Ctrl-C or SIGTERM.
fn termination() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

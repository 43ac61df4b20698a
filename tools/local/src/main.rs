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
    let Arguments { port, host, template, throttle, dynamodb, table } = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    match run(Options { host, port, template, throttle }, dynamodb.zip(table)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            _ = writeln!(std::io::stderr(), "error: {err:#}");
            ExitCode::FAILURE
        }
    }
}

/// Starts, prints what is served, and serves until a signal ends the process.
async fn run(options: Options, dynamodb: Option<(String, String)>) -> anyhow::Result<()> {
    let functions = match dynamodb {
        Some((url, table)) => local::functions_over(local::dynamodb(&url, &table).await?)?,
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

//! `token-auth`: the command line. See `docs/cli.md`.
//!
//! - [`arguments`]: the arguments and their help
//! - [`mod@client`], [`signer`], [`stack`]: HTTP, the user's AWS credentials, the URL of a stack
//! - [`token`], [`spend`]: a token, and one claim on it
//! - [`get`], [`validate`], [`race`], [`operate`], [`usage`], [`manual`]: the commands
//! - [`outcome`], [`output`]: exit codes, answers and failures, and how they are printed

mod arguments;
mod client;
mod get;
mod manual;
mod operate;
mod outcome;
mod output;
mod race;
mod signer;
mod spend;
#[cfg(feature = "stack")]
mod stack;
mod token;
mod usage;
mod validate;

use std::{
    io::{IsTerminal as _, stderr},
    process::ExitCode,
};

use clap::Parser as _;

use crate::{
    arguments::{Arguments, Command, Global},
    client::Client,
    get::Minted,
    outcome::{Answer, Code, Failure},
    output::Output,
    signer::Signer,
    token::Token,
};

#[tokio::main]
async fn main() -> ExitCode {
    let code = match Arguments::try_parse() {
        Ok(Arguments { command, global }) => {
            let output = Output::new(&global);
            output.end(&run(command, &global, output).await)
        }
        Err(err) if err.use_stderr() => output::wrong_use(&err),
        Err(help) => {
            _ = help.print();
            Code::Yes
        }
    };
    ExitCode::from(code as u8)
}

/// Runs a command.
async fn run(command: Command, global: &Global, output: Output) -> Result<Answer, Failure> {
    match command {
        Command::Get { from } => {
            let minted = get::get(&client(global).await?, from).await?;
            Ok(shown(&minted, output))
        }
        Command::Mint { audience, ttl } => {
            let client = client(global).await?;
            let signer = Signer::new(global, client.base()).await?;
            let minted = get::mint(&client, &signer, &audience, ttl.map(|ttl| ttl.as_secs())).await?;
            Ok(shown(&minted, output))
        }
        Command::Validate { input, no_retry } => {
            let token = Token::read(input.token_file.as_deref())?;
            validate::validate(&client(global).await?, &token, !no_retry).await
        }
        Command::Race(options) => race::race(&client(global).await?, &options, output).await,
        Command::Inspect { input } => {
            let token = Token::read(input.token_file.as_deref())?;
            let client = client(global).await?;
            operate::inspect(&client, &Signer::new(global, client.base()).await?, &token).await
        }
        Command::Revoke { input, jti } => {
            let (name, value) = match jti {
                Some(jti) => ("jti", jti),
                None => ("token", Token::read(input.token_file.as_deref())?.reveal().to_owned()),
            };
            let client = client(global).await?;
            operate::revoke(&client, &Signer::new(global, client.base()).await?, name, &value).await
        }
        Command::Usage(period) => {
            let client = client(global).await?;
            usage::usage(&client, &Signer::new(global, client.base()).await?, &period).await
        }
        Command::Completions { shell } => Ok(manual::completions(shell)),
        Command::Man { folder } => manual::man(folder.as_deref()),
    }
}

/// A client of the deployment that the options name.
async fn client(global: &Global) -> Result<Client, Failure> {
    #[cfg(feature = "stack")]
    if let Some(name) = &global.stack {
        let url = stack::url(&signer::configuration(global).await, name).await?;
        return Client::new(url, global.timeout);
    }
    Client::new(global.url.clone(), global.timeout)
}

/// The answer of a command that mints, which also tells a person at a terminal about the token.
fn shown(minted: &Minted, output: Output) -> Answer {
    if stderr().is_terminal() {
        output.note(&minted.note());
    }
    minted.answer()
}

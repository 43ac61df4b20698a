//! The arguments.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use reqwest::Url;

/// The layout of a help: the examples come before the options.
const HELP: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// The exit codes, at the end of each help.
const EXIT_CODES: &str = "\
Exit codes:
  0  yes: minted, accepted, active, revoked, counted, one use held
  1  no: refused, inactive, one use is broken
  2  wrong use
  3  not known: an answer is missing; never read it as a no
  4  credentials are missing, or they do not permit the request";

/// Gets, spends and inspects one-time tokens, and proves that a deployment accepts each of them once.
#[derive(Debug, Parser)]
#[command(
    name = "token-auth",
    version,
    disable_help_subcommand = true,
    help_template = HELP,
    after_help = EXIT_CODES,
    before_help = "\
Examples:
  token-auth get | token-auth validate
  token-auth race
  token-auth --stack token-auth race --tokens 20"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// The options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// URL of the API.
    #[arg(long, global = true, env = "TOKEN_AUTH_URL", default_value = "http://127.0.0.1:3000", value_parser = url)]
    pub(crate) url: Url,
    /// Name of the CloudFormation stack that deployed the API. It takes precedence over --url.
    #[cfg(feature = "stack")]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// AWS Region. By default that of the URL, of the environment or of the profile.
    #[arg(long, global = true)]
    pub(crate) region: Option<String>,
    /// Profile of the AWS configuration files.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// How long a request may take.
    #[arg(long, global = true, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Print one JSON object, also for an error.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print no notes and no progress.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Mint a token that anyone may have, and print it.
    #[command(help_template = HELP, after_help = EXIT_CODES, before_help = "\
Examples:
  token-auth get >token.txt
  token-auth get --from tokens | token-auth validate")]
    Get {
        /// The route that mints it.
        #[arg(long, value_name = "ROUTE", default_value = "hello")]
        from: Source,
    },
    /// Mint a token for a named audience, which needs an IAM permission, and print it.
    #[command(help_template = HELP, after_help = EXIT_CODES, before_help = "\
Examples:
  token-auth --stack token-auth mint report-link
  token-auth --stack token-auth mint report-link --ttl 10m --json")]
    Mint {
        /// Name of the audience: 1 to 64 letters, digits, dots, underscores and hyphens.
        audience: String,
        /// How long the token is valid. By default as the deployment is configured.
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        ttl: Option<Duration>,
    },
    /// Spend a token: the first time it is accepted, and never again.
    ///
    /// Each call draws an idempotency key, and asks again with it for up to 15 s if the outcome is not known.
    #[command(help_template = HELP, after_help = EXIT_CODES, before_help = "\
Examples:
  token-auth get | token-auth validate
  token-auth validate --token-file token.txt")]
    Validate {
        #[command(flatten)]
        input: Input,
        /// Ask once, and not again if the outcome is not known.
        #[arg(long)]
        no_retry: bool,
    },
    /// Have many clients spend each token at once, to prove that one of them gets it.
    #[command(help_template = HELP, after_help = EXIT_CODES, before_help = "\
Examples:
  token-auth race
  token-auth --stack token-auth race --tokens 20 --drop 0.1")]
    Race(Race),
    /// Show the state of a token without spending it, which needs an IAM permission.
    #[command(help_template = HELP, after_help = EXIT_CODES, before_help = "\
Example:
  token-auth --stack token-auth inspect --token-file token.txt")]
    Inspect {
        #[command(flatten)]
        input: Input,
    },
    /// Revoke a token, which needs an IAM permission.
    #[command(help_template = HELP, after_help = EXIT_CODES, before_help = "\
Examples:
  token-auth --stack token-auth revoke --token-file token.txt
  token-auth --stack token-auth revoke --jti 0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f")]
    Revoke {
        #[command(flatten)]
        input: Input,
        /// Identifier of the token, in place of the token itself.
        #[arg(long, value_name = "ID", conflicts_with = "token_file")]
        jti: Option<String>,
    },
    /// Show how many tokens were minted, spent and revoked in each hour, which needs an IAM permission.
    #[command(help_template = HELP, after_help = EXIT_CODES, before_help = "\
Examples:
  token-auth --stack token-auth usage
  token-auth --stack token-auth usage --last 7d
  token-auth --stack token-auth usage --from 2026-11-01T00:00:00Z --to 2026-11-08T00:00:00Z --json")]
    Usage(Period),
    /// Print a script that completes the arguments in a shell.
    #[command(help_template = HELP, after_help = EXIT_CODES, before_help = "\
Example:
  token-auth completions bash >~/.local/share/bash-completion/completions/token-auth")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write the pages of all commands to a folder.
    #[command(help_template = HELP, after_help = EXIT_CODES, before_help = "\
Examples:
  token-auth man | man -l -
  token-auth man ~/.local/share/man/man1")]
    Man {
        /// The folder, which must exist.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// The routes that mint for anyone.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Source {
    /// GET /hello, whose authorizer mints.
    Hello,
    /// GET /tokens.
    Tokens,
}

/// Where a token comes from.
#[derive(Debug, Args)]
pub(crate) struct Input {
    /// File that holds the token. By default it is read from standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// A period of time. By default it is the last 24 hours.
#[derive(Clone, Debug, Args)]
pub(crate) struct Period {
    /// How long before now it begins, at most 31 days.
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with_all = ["from", "to"])]
    pub(crate) last: Option<Duration>,
    /// When it begins, as in 2026-11-26T08:00:00Z. By default 24 hours before its end.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// When it ends. By default now.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
}

/// The options of a race.
#[derive(Clone, Debug, Args)]
pub(crate) struct Race {
    /// How many tokens to race for.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) tokens: u32,
    /// How many clients claim each token at once.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..=256))]
    pub(crate) clients: u32,
    /// Requests per second. By default 50, and without a limit on this machine.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,
    /// The fraction of the claims, 0 to 1, whose connection is cut after sending. They are made again with the
    /// same idempotency key.
    #[arg(long, value_name = "PART", default_value_t = 0.0, value_parser = part)]
    pub(crate) drop: f64,
    /// Do not ask before the race, which costs money on another machine.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Parses the URL of an API.
fn url(text: &str) -> Result<Url, String> {
    let expected = "must be the http or https URL of an API, such as https://example.com/Prod";
    let url = Url::parse(text).map_err(|err| format!("{expected} ({err})"))?;
    let is_plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if is_plain && matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(expected.to_owned()) }
}

/// Parses a duration that is not zero.
fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err("must not be zero".to_owned()),
        Err(err) => Err(format!("must be a duration, such as 10s ({err})")),
    }
}

/// Parses a part of a whole.
fn part(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|part| (0.0..=1.0).contains(part)).ok_or_else(|| "must be a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn only_the_url_of_an_api_is_taken() {
        for good in ["http://127.0.0.1:3000", "https://abc.execute-api.eu-west-1.amazonaws.com/Prod/"] {
            assert!(url(good).is_ok(), "{good}");
        }
        for bad in
            ["", "example.com", "ftp://example.com", "https://a/?token=x", "https://a/#b", "https://u:p@a/", "file:///"]
        {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_duration_is_not_zero_and_a_part_is_within_the_whole() {
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert!(["0s", "", "5", "-1s"].iter().all(|it| duration(it).is_err()));
        assert!(["0", "0.1", "1"].iter().all(|it| part(it).is_ok()));
        assert!(["-0.1", "1.1", "NaN", "x"].iter().all(|it| part(it).is_err()));
    }
}

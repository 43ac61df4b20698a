//! The template of the shop, its seed, and that this workspace agrees with token-auth's own.
//!
//! The template is read as it is written, without SAM: `!Ref Name` and `!GetAtt Name.Arn` are the texts `Name` and
//! `Name.Arn`.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod api;
mod functions;
mod hosting;
mod machine;
mod reports;
mod seed;
mod template;
mod workspace;

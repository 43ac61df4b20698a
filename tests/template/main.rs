//! `template.yaml` as SAM's transform leaves it, which is what CloudFormation acts on; what is said
//! beside it, for its linters and for SAM's commands; and what `sam build` makes of it.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `TRANSFORMED_TEMPLATE` | a file with what `tests/template/transform.py` prints, run by the Python that has `aws-sam-cli` |
//! | `OPENAPI_GENERATOR` | the program of the package `openapi-generator-cli`, from Python's index; it runs on Java |
//! | `SAM_CONFIG_ENV` | the environment of `samconfig.toml` that `sam build` was run with |
//!
//! The transform is a Python library, so the tests that need it are left out by default, and
//! `cargo test -p tests --test template -- --ignored sam_` runs them.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod architecture;
mod sam_alarms;
mod sam_api;
mod sam_data;
mod sam_functions;
mod sam_import;
mod sam_limits;
mod sam_roles;
mod sam_rotation;
mod stack;
mod suppressions;

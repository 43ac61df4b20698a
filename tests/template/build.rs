//! What `sam build` has made.

use std::fs;
use std::path::Path;

use crate::samconfig::architecture;

/// The folder that `sam build` writes.
const BUILT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.aws-sam/build");

/// The machine that an executable is for, in Lambda's words.
fn machine(executable: &[u8]) -> &'static str {
    assert_eq!(executable[..4], *b"\x7fELF");
    // e_machine of the ELF header: EM_X86_64 is 62 and EM_AARCH64 is 183.
    match u16::from_le_bytes([executable[18], executable[19]]) {
        62 => "x86_64",
        183 => "arm64",
        other => panic!("machine {other}"),
    }
}

#[test]
#[ignore = "needs what `sam build` makes"]
fn every_function_is_built_for_the_architecture_that_is_deployed() {
    let environment = apigw::env("SAM_CONFIG_ENV").expect(
        "SAM_CONFIG_ENV is not set: it names the environment of samconfig.toml that .aws-sam/build was made with",
    );
    let mut built = Vec::new();
    for entry in fs::read_dir(Path::new(BUILT)).unwrap() {
        let bootstrap = entry.unwrap().path().join("bootstrap");
        if bootstrap.exists() {
            assert_eq!(machine(&fs::read(&bootstrap).unwrap()), architecture(&environment), "{}", bootstrap.display());
            built.push(bootstrap);
        }
    }
    assert!(!built.is_empty(), "nothing is built");
}

//! The parameter `Architecture`, which `sam build` and `sam deploy` must agree on.

use std::path::Path;

use harness::FUNCTIONS;

/// The settings of SAM's commands.
const SETTINGS: &str = include_str!("../../samconfig.toml");

/// The folder that `sam build` writes.
const BUILT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.aws-sam/build");

/// The tables of the settings by name, each with its lines.
fn tables() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut tables = Vec::new();
    for line in SETTINGS.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            tables.push((name, Vec::new()));
        } else if let Some((_, lines)) = tables.last_mut() {
            lines.push(line);
        }
    }
    tables
}

/// The architecture in an environment of the settings.
fn configured(environment: &str) -> &'static str {
    let shared = format!("{environment}.global.parameters");
    let (_, lines) = tables().into_iter().find(|(name, _)| *name == shared).unwrap();
    let parameters = lines.into_iter().find_map(|line| line.strip_prefix("parameter_overrides = ")).unwrap();
    parameters.split(['"', ',', ' ']).find_map(|parameter| parameter.strip_prefix("Architecture=")).unwrap()
}

/// The architecture of an executable, by Lambda's name.
fn architecture(executable: &[u8]) -> &'static str {
    assert_eq!(executable[..4], *b"\x7fELF");
    // e_machine in the ELF header: EM_X86_64 is 62 and EM_AARCH64 is 183.
    match u16::from_le_bytes([executable[18], executable[19]]) {
        62 => "x86_64",
        183 => "arm64",
        other => panic!("machine {other}"),
    }
}

#[test]
fn one_setting_of_each_environment_gives_the_architecture_to_all_commands() {
    for environment in ["default", "local"] {
        assert!(["arm64", "x86_64"].contains(&configured(environment)), "{environment}");
    }
    // A list of one command would replace the list that all commands share.
    for (table, lines) in tables() {
        let names_parameters = lines.iter().any(|line| line.starts_with("parameter_overrides"));
        assert_eq!(names_parameters, table.ends_with(".global.parameters"), "{table}");
    }
}

#[test]
#[ignore = "needs the functions as `sam build` makes them"]
fn every_function_is_built_for_the_architecture_that_is_deployed() {
    let environment = apigw::env("SAM_CONFIG_ENV")
        .expect("SAM_CONFIG_ENV is not set: it names the environment of samconfig.toml that `sam build` was run with");
    for function in FUNCTIONS {
        let binary = function.binary(Path::new(BUILT));
        let executable = std::fs::read(&binary).unwrap();
        assert_eq!(architecture(&executable), configured(&environment), "{}", binary.display());
    }
}

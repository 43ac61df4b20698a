//! What `samconfig.toml` says in the place of the template.

use std::collections::BTreeSet;

/// The template.
const TEMPLATE: &str = include_str!("../../template.yaml");

/// The settings of SAM's commands.
const SETTINGS: &str = include_str!("../../samconfig.toml");

/// The tables by their names, each with its lines.
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

/// The value of the parameter `Architecture` in an environment of `samconfig.toml`.
pub(crate) fn architecture(environment: &str) -> &'static str {
    let shared = format!("{environment}.global.parameters");
    let (_, lines) = tables().into_iter().find(|(name, _)| *name == shared).unwrap();
    let parameters = lines.into_iter().find_map(|line| line.strip_prefix("parameter_overrides = ")).unwrap();
    parameters.split(['"', ',', ' ']).find_map(|parameter| parameter.strip_prefix("Architecture=")).unwrap()
}

#[test]
fn sync_takes_what_cargo_writes_for_an_edit_of_no_function() {
    let lines: Vec<_> = TEMPLATE.lines().collect();
    let is_function = |pair: &&[&str]| pair[1] == "    Type: AWS::Serverless::Function";
    let functions: BTreeSet<_> =
        lines.windows(2).filter(is_function).map(|pair| pair[0].trim().trim_end_matches(':')).collect();

    let (_, excluded) =
        tables().into_iter().find(|(name, _)| *name == "default.sync.parameters.watch_exclude").unwrap();
    let excluded: Vec<_> = excluded.into_iter().filter_map(|line| line.split_once(" = ")).collect();
    assert!(excluded.iter().all(|(_, paths)| *paths == r#"["/target($|/)"]"#), "{excluded:?}");
    assert_eq!(excluded.into_iter().map(|(function, _)| function).collect::<BTreeSet<_>>(), functions);
}

#[test]
fn build_and_deploy_take_the_architecture_from_one_setting() {
    for environment in ["default", "local"] {
        architecture(environment);
    }
    // Elsewhere, a list of one command would replace the list that all commands share.
    for (table, lines) in tables() {
        let names_parameters = lines.iter().any(|line| line.starts_with("parameter_overrides"));
        assert_eq!(names_parameters, table.ends_with(".global.parameters"), "{table}");
    }
}

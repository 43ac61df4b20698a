//! The table of deployed functions, from which tests and benchmarks take what they know of each.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use aws::Role;

/// The folder of the repository.
const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Every deployed function.
pub const FUNCTIONS: [Function; 4] = [
    Function { name: "authorizer", access: Some(Role::Minter) },
    Function { name: "hello", access: None },
    Function { name: "issue", access: Some(Role::Minter) },
    Function { name: "validate", access: Some(Role::Spender) },
];

/// A deployed function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// The name of its folder and of its binary, and the prefix of its events in `events/`.
    pub name: &'static str,
    /// What it may do to the table of tokens. A function without access does not read the key ring either.
    pub access: Option<Role>,
}

impl Function {
    /// The function that is called `name`.
    ///
    /// # Panics
    ///
    /// When [`FUNCTIONS`] has no such function.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let function = FUNCTIONS.into_iter().find(|function| function.name == name);
        function.unwrap_or_else(|| panic!("no function {name} in harness::FUNCTIONS"))
    }

    /// The logical id of one of its resources in `template.yaml`, such as `HelloRole` for the kind `Role`.
    #[must_use]
    pub fn logical_id(&self, kind: &str) -> String {
        let (first, rest) = self.name.split_at(1);
        format!("{}{rest}{kind}", first.to_uppercase())
    }

    /// The actions that its role allows on table and key ring, such as `dynamodb:PutItem`.
    #[must_use]
    pub fn actions(&self) -> Vec<&'static str> {
        match self.access {
            Some(Role::Minter) => vec!["dynamodb:PutItem", "secretsmanager:GetSecretValue"],
            Some(Role::Spender) => vec!["dynamodb:UpdateItem", "secretsmanager:GetSecretValue"],
            None => vec![],
        }
    }

    /// Its sample event, in which `TOKEN` stands for a token.
    ///
    /// # Errors
    ///
    /// When `events/` has no file of its name.
    pub fn event(&self) -> Result<String> {
        let path = format!("{REPOSITORY}/events/{}.json", self.name);
        std::fs::read_to_string(&path).context(path)
    }

    /// The file of its binary in `build`, the folder into which `sam build` puts the functions.
    #[must_use]
    pub fn binary(&self, build: &Path) -> PathBuf {
        build.join(self.logical_id("Function")).join("bootstrap")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names() -> Vec<&'static str> {
        FUNCTIONS.iter().map(|function| function.name).collect()
    }

    #[test]
    fn every_folder_with_src_at_the_top_is_a_function() {
        let entries = fs::read_dir(REPOSITORY).unwrap().map(|entry| entry.unwrap());
        let with_src = entries.filter(|entry| entry.path().join("src").is_dir());
        let mut folders: Vec<_> = with_src.map(|entry| entry.file_name().into_string().unwrap()).collect();
        folders.sort_unstable();
        assert_eq!(folders, names());
    }

    #[test]
    fn the_functions_are_the_default_members_of_the_workspace() {
        let manifest = fs::read_to_string(format!("{REPOSITORY}/Cargo.toml")).unwrap();
        let line = manifest.lines().find_map(|line| line.strip_prefix("default-members = ")).unwrap();
        assert_eq!(line, format!("{:?}", names()));
    }

    #[test]
    fn every_function_has_a_sample_event() {
        for function in FUNCTIONS {
            function.event().unwrap();
        }
    }
}

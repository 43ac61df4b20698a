//! The table of the deployed functions, for tests and benchmarks that cover all of them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use aws::Access;

/// The folder of the repository.
const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Every deployed function.
pub const FUNCTIONS: [Function; 11] = [
    Function { name: "authorizer", access: Some(Access::Mint), routes: &[] },
    Function { name: "guard", access: Some(Access::Spend), routes: &[] },
    Function { name: "guarded", access: None, routes: &["POST /hello"] },
    Function { name: "hello", access: None, routes: &["GET /hello"] },
    Function { name: "inspect", access: Some(Access::Find), routes: &["POST /tokens/introspect"] },
    Function { name: "issue", access: Some(Access::Mint), routes: &["GET /tokens", "POST /tokens/mint"] },
    Function { name: "page", access: None, routes: &["GET /"] },
    Function { name: "revoke", access: Some(Access::Revoke), routes: &["POST /tokens/revoke"] },
    Function { name: "rotate", access: None, routes: &[] },
    Function { name: "usage", access: None, routes: &["GET /usage"] },
    Function { name: "validate", access: Some(Access::Spend), routes: &["POST /tokens", "POST /validate"] },
];

/// A deployed function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name, and the prefix of its events in `events/`.
    pub name: &'static str,
    /// What its role allows on the table of tokens. A role without access cannot read the key ring either, except
    /// that of `rotate`.
    pub access: Option<Access>,
    /// The routes of the API that invoke it.
    pub routes: &'static [&'static str],
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

    /// The name of its folder and of its binary.
    #[must_use]
    pub fn folder(&self) -> &'static str {
        // One binary serves both methods of `/hello`.
        if self.name == "guarded" { "hello" } else { self.name }
    }

    /// The logical id of one of its resources in `template.yaml`, such as `HelloRole` for the kind `Role`.
    #[must_use]
    pub fn logical_id(&self, kind: &str) -> String {
        let (first, rest) = self.name.split_at(1);
        format!("{}{rest}{kind}", first.to_uppercase())
    }

    /// The actions that its role allows on the table and the key ring, such as `dynamodb:PutItem`.
    #[must_use]
    pub fn actions(&self) -> Vec<&'static str> {
        match self.access {
            Some(Access::Mint) => vec!["dynamodb:PutItem", "secretsmanager:GetSecretValue"],
            Some(Access::Find) => vec!["dynamodb:GetItem", "secretsmanager:GetSecretValue"],
            Some(Access::Revoke | Access::Spend) => vec!["dynamodb:UpdateItem", "secretsmanager:GetSecretValue"],
            None if self.name == "rotate" => vec![
                "secretsmanager:GetSecretValue",
                "secretsmanager:DescribeSecret",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
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
        // SAM builds a binary that two functions share once, into the folder of the first.
        let shares = self.folder() == "hello";
        let folder = if shares { "HelloFunction-Shared".to_owned() } else { self.logical_id("Function") };
        build.join(folder).join("bootstrap")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(file: &str) -> String {
        fs::read_to_string(format!("{REPOSITORY}/{file}")).unwrap()
    }

    fn folders() -> Vec<&'static str> {
        let mut folders: Vec<_> = FUNCTIONS.iter().map(Function::folder).collect();
        folders.dedup();
        folders
    }

    #[test]
    fn every_folder_with_src_at_the_top_is_a_function() {
        let entries = fs::read_dir(REPOSITORY).unwrap().map(|entry| entry.unwrap());
        let with_src = entries.filter(|entry| entry.path().join("src").is_dir());
        let mut found: Vec<_> = with_src.map(|entry| entry.file_name().into_string().unwrap()).collect();
        // Not of this workspace.
        found.retain(|folder| folder != "shop");
        found.sort_unstable();
        assert_eq!(found, folders());
    }

    #[test]
    fn the_functions_are_the_default_members_of_the_workspace() {
        let manifest = read("Cargo.toml");
        let members = manifest.lines().find_map(|line| line.strip_prefix("default-members = ")).unwrap();
        assert_eq!(members, format!("{:?}", folders()));
    }

    #[test]
    fn sam_sync_ignores_the_build_output_next_to_every_function() {
        let config = read("samconfig.toml");
        let (_, section) = config.split_once("[default.sync.parameters.watch_exclude]\n").unwrap();
        let mut ignoring: Vec<_> = section.lines().take_while(|line| !line.is_empty()).collect();
        ignoring.sort_unstable();
        let expected = FUNCTIONS.map(|function| format!("{} = [\"/target($|/)\"]", function.logical_id("Function")));
        assert_eq!(ignoring, expected);
    }

    #[test]
    fn every_function_has_a_sample_event() {
        for function in FUNCTIONS {
            function.event().unwrap();
        }
    }
}

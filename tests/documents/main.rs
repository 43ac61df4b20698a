//! The documents name what is there: a relative link in any of them, and in `docs/security.md` the
//! attacks, and the files and tests that stand as evidence.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The table in `docs/security.md` whose evidence is looked up.
const ASVS: &str = "## OWASP ASVS 5.0";

/// How many requirements each section of ASVS 5.0.0 has, at all levels, in the chapters that are
/// mapped one by one.
const REQUIREMENTS: [(&str, usize); 18] = [
    ("4.1", 5),
    ("4.2", 5),
    ("4.3", 2),
    ("4.4", 4),
    ("9.1", 3),
    ("9.2", 4),
    ("11.1", 4),
    ("11.2", 5),
    ("11.3", 5),
    ("11.4", 4),
    ("11.5", 2),
    ("11.6", 2),
    ("11.7", 2),
    ("16.1", 1),
    ("16.2", 5),
    ("16.3", 4),
    ("16.4", 3),
    ("16.5", 4),
];

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The text of a file of the repository.
fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
}

/// All files below `folder` with this extension, but for what is built.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found
}

/// The names of all tests of the workspace: functions under an attribute that ends in `test`.
fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files(root(), "rs") {
        let mut is_test = false;
        for line in read(path).lines().map(str::trim) {
            let declared = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
            if let Some((name, _)) = declared.and_then(|rest| rest.split_once('(')) {
                if std::mem::take(&mut is_test) {
                    names.insert(name.to_owned());
                }
            } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            }
        }
    }
    names
}

/// A row of the table of requirements.
struct Requirement {
    number: String,
    answer: String,
}

impl Requirement {
    /// What the answer names in code font.
    fn evidence(&self) -> Vec<&str> {
        self.answer.split('`').skip(1).step_by(2).collect()
    }
}

/// The rows whose first cell is the number of a requirement, such as `9.1.1`.
fn requirements() -> Vec<Requirement> {
    let document = read("docs/security.md");
    let (_, section) = document.split_once(ASVS).expect("docs/security.md has the table");
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut rows = Vec::new();
    for line in section.lines() {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let is_number =
            cells[0].matches('.').count() == 2 && cells[0].bytes().all(|it| it == b'.' || it.is_ascii_digit());
        if is_number {
            assert_eq!(cells.len(), 4, "{line}: not number, level, requirement and answer");
            rows.push(Requirement { number: cells[0].to_owned(), answer: cells[3].to_owned() });
        }
    }
    rows
}

#[test]
fn every_requirement_of_the_four_chapters_has_its_row() {
    let expected =
        REQUIREMENTS.iter().flat_map(|(section, count)| (1..=*count).map(move |it| format!("{section}.{it}")));
    let rows: Vec<_> = requirements().into_iter().map(|row| row.number).collect();
    assert_eq!(rows, expected.collect::<Vec<_>>());
}

#[test]
fn every_file_and_every_test_that_a_requirement_names_is_there() {
    let tests = test_names();
    let mut missing = Vec::new();
    for row in requirements() {
        for name in row.evidence() {
            let is_path = name.contains(['/', '.']);
            let is_there = if is_path { root().join(name).is_file() } else { tests.contains(name) };
            if !is_there {
                missing.push(format!("{}: no {} `{name}`", row.number, if is_path { "file" } else { "test" }));
            }
        }
    }
    assert!(missing.is_empty(), "docs/security.md names what is not there:\n{}", missing.join("\n"));
}

#[test]
fn a_requirement_names_its_evidence_or_says_why_it_has_none() {
    for row in requirements() {
        let is_excused = ["Does not apply: ", "Not met: ", "API Gateway's part: ", "AWS's part: "]
            .iter()
            .any(|excuse| row.answer.starts_with(excuse) && row.answer.len() > excuse.len());
        assert!(is_excused || !row.evidence().is_empty(), "{}: {}", row.number, row.answer);
    }
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let mut missing = Vec::new();
    for document in files(root(), "md") {
        let text = read(&document);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or_default();
            let is_elsewhere = path.is_empty() || path.contains(':');
            if !is_elsewhere && !document.parent().unwrap().join(path).exists() {
                missing.push(format!("{}: {target}", document.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(missing.is_empty(), "links into nothing:\n{}", missing.join("\n"));
}

/// The numbers of attacks in `text`, such as `A01`.
fn attacks(text: &str) -> BTreeSet<&str> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric());
    words.filter(|it| it.len() == 3 && it.starts_with('A') && it[1..].bytes().all(|it| it.is_ascii_digit())).collect()
}

#[test]
fn every_attack_that_is_named_has_its_row() {
    let document = read("docs/security.md");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| A")?.split(" | ").next());
    let rows: Vec<_> = rows.map(|cell| format!("A{cell}")).collect();
    let rows = rows.iter().flat_map(|cell| attacks(cell)).collect();
    let missing: Vec<_> = attacks(&document).difference(&rows).copied().collect();
    assert!(missing.is_empty(), "docs/security.md tells nothing of {missing:?}");
}

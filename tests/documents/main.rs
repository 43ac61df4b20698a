//! The documents name only what exists: the targets of relative links, files and tests in any of them,
//! the evidence in `docs/asvs.md`, and the attacks in `docs/security.md`. Their commands run: see `commands`.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod commands;
mod costs;
mod translation;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The document whose evidence is looked up.
const ASVS: &str = "docs/asvs.md";

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

/// All files below `folder` with this extension, except build output and packages.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && !["node_modules", "target"].contains(&name) {
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

/// The names that `text` has in code font.
fn names(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// A row of the table of requirements.
struct Requirement {
    number: String,
    answer: String,
}

impl Requirement {
    /// The files and tests that the answer names as evidence.
    fn evidence(&self) -> Vec<&str> {
        names(&self.answer)
    }
}

/// The rows whose first cell is the number of a requirement, such as `9.1.1`.
fn requirements() -> Vec<Requirement> {
    let mut rows = Vec::new();
    for line in read(ASVS).lines() {
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
    assert!(missing.is_empty(), "{ASVS} names files or tests that do not exist:\n{}", missing.join("\n"));
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

/// Each document of the repository: its path, and its lines outside code blocks.
fn documents() -> Vec<(PathBuf, String)> {
    let prose = |text: &str| {
        let mut is_code = false;
        let outside = text.lines().filter(|line| {
            let is_fence = line.starts_with("```");
            is_code ^= is_fence;
            !is_code && !is_fence
        });
        outside.collect::<Vec<_>>().join("\n")
    };
    files(root(), "md").into_iter().map(|path| (path.clone(), prose(&read(path)))).collect()
}

/// The path of a file, as messages name it.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The names by which links reach the headings of a document.
fn anchors(document: &str) -> BTreeSet<String> {
    let headings = document.lines().filter(|line| line.starts_with('#'));
    let texts = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-"));
    let is_kept = |it: &char| it.is_alphanumeric() || matches!(it, '-' | '_');
    texts.map(|text| text.chars().filter(is_kept).collect()).collect()
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let mut missing = Vec::new();
    for (document, text) in documents() {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            if path.contains(':') {
                continue;
            }
            let file = if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            let is_there = file.exists() && (anchor.is_empty() || anchors(&read(&file)).contains(anchor));
            if !is_there {
                missing.push(format!("{}: {target}", shown(&document)));
            }
        }
    }
    assert!(missing.is_empty(), "broken links:\n{}", missing.join("\n"));
}

#[test]
fn every_file_and_every_test_that_a_document_names_is_there() {
    let tests = test_names();
    let mut missing = Vec::new();
    for (document, text) in documents() {
        let of_this_repository = text.lines().filter(|line| !line.contains("localstack/localstack"));
        for name in of_this_repository.flat_map(names) {
            let is_path =
                name.split_once('/').is_some_and(|(folder, _)| !folder.is_empty() && root().join(folder).is_dir());
            let is_word = name.bytes().all(|it| it == b'_' || it.is_ascii_lowercase() || it.is_ascii_digit());
            // No test of this repository begins with `test_`: those that do are in other repositories.
            let is_ours = !name.starts_with('_') && !name.starts_with("test_");
            let is_test = is_word && is_ours && name.matches('_').count() >= 4;
            // A command has arguments after its path.
            let path = name.split(' ').next().unwrap_or(name);
            if (is_path && !root().join(path).exists()) || (is_test && !tests.contains(name)) {
                missing.push(format!("{}: `{name}`", shown(&document)));
            }
        }
    }
    assert!(missing.is_empty(), "documents name files or tests that do not exist:\n{}", missing.join("\n"));
}

/// The names in each cell of the rows whose first cell begins with a name.
fn rows(document: &str) -> Vec<Vec<Vec<&str>>> {
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split(" | ").map(names).collect()).collect()
}

#[test]
fn every_parameter_of_the_template_has_its_row_with_its_default() {
    let template = read("template.yaml");
    let (_, parameters) = template.split_once("\nParameters:\n").unwrap();
    let mut expected: Vec<(String, String)> = Vec::new();
    for line in parameters.lines().take_while(|line| line.is_empty() || line.starts_with("  ")) {
        if let Some(default) = line.strip_prefix("    Default: ") {
            expected.last_mut().unwrap().1 = default.trim_matches('"').to_owned();
        } else if let Some(name) =
            line.strip_prefix("  ").and_then(|it| it.strip_suffix(':')).filter(|it| !it.starts_with(' '))
        {
            expected.push((name.to_owned(), String::new()));
        }
    }
    let document = read("docs/configuration.md");
    let (document, _) = document.split_once("\n## Options of local").unwrap();
    let default = |cells: &[Vec<&str>]| cells[1].first().copied().unwrap_or_default().to_owned();
    let documented: Vec<_> = rows(document).iter().map(|cells| (cells[0][0].to_owned(), default(cells))).collect();
    assert_eq!(documented.iter().collect::<BTreeSet<_>>(), expected.iter().collect());
}

#[test]
fn crates_depend_on_one_another_only_as_the_table_says() {
    let manifests: Vec<_> =
        files(root(), "toml").into_iter().filter(|it| it.ends_with("Cargo.toml")).map(read).collect();
    let name = |manifest: &str| Some(manifest.split_once("[package]\nname = \"")?.1.split('"').next()?.to_owned());
    let crates: BTreeSet<_> = manifests.iter().filter_map(|it| name(it)).collect();
    let mut edges = BTreeSet::new();
    for manifest in &manifests {
        let Some(from) = name(manifest) else { continue };
        let dependencies = manifest.lines().filter_map(|line| line.split_once(['.', ' ']).map(|(it, _)| it));
        edges.extend(dependencies.filter(|it| crates.contains(*it)).map(|to| (from.clone(), to.to_owned())));
    }
    let document = read("ARCHITECTURE.md");
    let (_, table) = document.split_once("\n## Which crate may depend on which").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let mut allowed = BTreeSet::new();
    for cells in rows(table) {
        for from in &cells[0] {
            allowed.extend(cells[1].iter().map(|to| ((*from).to_owned(), (*to).to_owned())));
        }
    }
    let missing: Vec<_> = edges.difference(&allowed).collect();
    assert!(missing.is_empty() && !edges.is_empty(), "ARCHITECTURE.md does not allow {missing:?}");
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
    let named = format!("{document}{}", read(ASVS));
    let missing: Vec<_> = attacks(&named).difference(&rows).copied().collect();
    assert!(missing.is_empty(), "docs/security.md has no row for {missing:?}");
}

/// The example is deployed and called in `.ci/run`, so what the README shows of it works.
#[test]
fn the_readme_shows_the_template_and_the_settings_of_the_example() {
    let readme = read("README.md");
    let section = readme.split("\n## ").find(|section| section.starts_with("Protect a route")).unwrap();
    let example = read("examples/protect/template.yaml") + &read("examples/protect/samconfig.toml");
    let lines: BTreeSet<&str> = example.lines().map(str::trim).collect();

    let mut compared = 0;
    for block in section.split("\n```").filter(|block| block.starts_with("yaml\n") || block.starts_with("toml\n")) {
        for line in block.lines().skip(1) {
            let line = line.split("# ").next().unwrap().trim();
            // The example is inside the repository, and a stranger's project has the repository inside.
            if line.is_empty() || line.contains("Location: token-auth/template.yaml") {
                continue;
            }
            assert!(lines.contains(line), "examples/protect does not have the line of the README: {line}");
            compared += 1;
        }
    }
    assert!(compared > 20, "only {compared} lines were found in the README");
}

//! README.ja.md says what README.md says. A test cannot read Japanese, but it sees a section, a command, a row or a
//! paragraph that one of them lacks.

use regex_lite::Regex;

use crate::read;

/// What a translation keeps: the level of each heading, the text of each block, the cells of each row, the targets of
/// links and pictures outside this document, and one word for each paragraph and each item of a list.
fn shape(document: &str) -> Vec<String> {
    let target = Regex::new(r"\]\(([^#)][^)]*)\)").unwrap();
    let mut is_code = false;
    // The first line leads to the other language.
    let lines = document.lines().skip(1).filter(|line| !line.is_empty());
    let shape = lines.map(|line| {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        if is_code || is_fence || line.starts_with("<!-- ") {
            return line.to_owned();
        }
        let kind = match line.split_once(' ').map_or(line, |(first, _)| first) {
            first if first.starts_with('#') => first.to_owned(),
            "|" => format!("{} cells", line.matches('|').count() - 1),
            "-" => "item".to_owned(),
            _ => "paragraph".to_owned(),
        };
        let targets = target.captures_iter(line).map(|link| link[1].to_owned());
        let mut targets: Vec<_> = targets.collect();
        // Another language has another order of words.
        targets.sort();
        format!("{kind} {}", targets.join(" "))
    });
    shape.collect()
}

#[test]
fn the_readme_in_japanese_has_what_the_one_in_english_has() {
    let (english, japanese) = (shape(&read("README.md")), shape(&read("README.ja.md")));
    for (english, japanese) in english.iter().zip(&japanese) {
        assert_eq!(english, japanese);
    }
    assert_eq!(english.len(), japanese.len());
}

#[test]
fn a_translation_that_lacks_a_part_has_another_shape() {
    let english = "one\n# Title\ntext, and [more](docs/api.md)\n| a | b |\n- item\n```console\n$ a\n```\n";
    for (part, changed) in [
        ("# Title", "## Title"),
        ("text, and [more](docs/api.md)", ""),
        ("docs/api.md", "docs/cli.md"),
        ("| a | b |", "| a |"),
        ("- item\n", ""),
        ("$ a", "$ b"),
    ] {
        assert_ne!(shape(english), shape(&english.replace(part, changed)), "{part}");
    }
    let japanese = english.replace("text, and [more]", "[詳細]").replace("Title", "題名").replace("item", "項目");
    assert_eq!(shape(english), shape(&japanese));
}

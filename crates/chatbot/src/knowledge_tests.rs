use tempfile::TempDir;

use super::*;

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn problems(files: &[(&str, &[u8])]) -> Vec<String> {
    let folder = folder(files);
    let errors = Knowledge::read(folder.path()).unwrap_err();
    let prefix = format!("{}/", folder.path().display());
    let told = errors.problems().iter().map(ToString::to_string);
    told.map(|problem| problem.replace(&prefix, "")).collect()
}

#[test]
fn a_file_is_cut_at_its_headings() {
    let text = "\u{feff}\n# Delivery\n\n## Days\n\nMonday  \n\n### Holidays\nNone.\n```\n## not a heading\n# nor a title\n```\n## Costs\r\nFree.\r\n";
    let folder = folder(&[
        ("b.md", b"# B\nAll about it.\n## More\nIt is."),
        ("a.md", text.as_bytes()),
        ("c.txt", b"no"),
    ]);
    let knowledge = Knowledge::read(folder.path()).unwrap();
    let ids: Vec<&str> = knowledge.passages().iter().map(|it| &*it.id).collect();
    assert_eq!(ids, ["a.md#Days", "a.md#Costs", "b.md#B", "b.md#More"]);
    let days = &knowledge.passages()[0];
    assert_eq!((&*days.source, &*days.section), ("a.md", "Days"));
    assert_eq!(
        days.text,
        "Days\nMonday\n\n### Holidays\nNone.\n```\n## not a heading\n# nor a title\n```"
    );
    assert_eq!(knowledge.passages()[1].text, "Costs\nFree.");
    assert_eq!(knowledge.passages()[2].text, "B\nAll about it.");
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let long = format!("# T\n## Long\n{}\n", "é".repeat(LONGEST_PASSAGE));
    let told = problems(&[
        ("a.md", b"text\n# Late"),
        (
            "b.md",
            b"# T\n## Same\nx\n## Same\ny\n## Empty\n\n##\nz\n# Two\n",
        ),
        ("c.md", long.as_bytes()),
        ("d.md", b"# T\n## H\nM\xfcnchen\n"),
        ("e.md", b"\n"),
        ("f.md", b"# Only a title\n"),
    ]);
    let expected = [
        "a.md:1: it does not begin with a title; begin it with `# Title`",
        "b.md:4: \"Same\" heads line 2 already; name one of them otherwise",
        "b.md:6: there is nothing under \"Empty\"; write it, or remove the heading",
        "b.md:8: it has a heading without words; write the words",
        "b.md:10: it has a second title; write it as a `## Heading`",
        "c.md:2: what stands under \"Long\" has 1505 characters, of at most 1500; divide it by another `## Heading`",
        "d.md:3: it is not UTF-8; save the file as UTF-8",
        "e.md:1: it is empty; begin it with `# Title`, or remove it",
        "f.md:1: there is nothing under \"Only a title\"; write it, or remove the heading",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_folder_without_files_is_wrong() {
    let nothing = TempDir::new().unwrap();
    for folder in [nothing.path(), &nothing.path().join("none")] {
        let errors = Knowledge::read(folder).unwrap_err();
        assert_eq!(errors.problems().len(), 1, "{errors:?}");
    }
}

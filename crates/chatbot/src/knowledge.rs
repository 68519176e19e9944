//! What the company tells its customers, cut into passages that can be found and cited.
//!
//! A Markdown file begins with `# Title`; each `## Heading` begins a passage. What stands between
//! the title and the first heading is a passage under the title.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{DataErrors, DataProblem, data_problem::quoted};

/// The longest passage, in characters of its heading and body: more than that a model that embeds
/// may not read.
pub const LONGEST_PASSAGE: usize = 1_500;

/// All passages of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knowledge {
    passages: Vec<Passage>,
}

/// A part of a file under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passage {
    /// File and heading, as in `delivery.md#Delivery days`; the same while they are.
    pub id: String,
    /// The heading, and what stands under it.
    pub text: String,
    /// The name of the file.
    pub source: String,
    /// The heading.
    pub section: String,
}

// === impl Knowledge ===

impl Knowledge {
    /// Reads all files `*.md` of a folder, not of the folders in it.
    ///
    /// # Errors
    /// Everything that is wrong in them, with file and line: no title or a second one, a passage
    /// without text, two equal headings in a file, a passage above [`LONGEST_PASSAGE`], bytes that
    /// are not UTF-8. A folder without files is wrong too.
    pub fn read(folder: &Path) -> Result<Self, DataErrors> {
        let mut problems = Vec::new();
        let files = files(folder).unwrap_or_else(|problem| {
            problems.push(problem);
            Vec::new()
        });
        let mut passages = Vec::new();
        for file in files {
            match text_of(&file) {
                Ok(text) => passages.extend(cut(&file, &text, &mut problems)),
                Err(problem) => problems.push(problem),
            }
        }
        DataErrors::none_of(problems)?;
        Ok(Self { passages })
    }

    /// The passages, by file and in their order there.
    pub fn passages(&self) -> &[Passage] {
        &self.passages
    }
}

/// The files by name; at least one.
fn files(folder: &Path) -> Result<Vec<PathBuf>, DataProblem> {
    let unreadable = |error| DataProblem::unreadable(folder, &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|it| it == "md") && path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        let remedy = "put a file there, or name another folder";
        return Err(DataProblem::new(folder, "it holds no file *.md", remedy));
    }
    files.sort();
    Ok(files)
}

fn text_of(file: &Path) -> Result<String, DataProblem> {
    let bytes = fs::read(file).map_err(|error| DataProblem::unreadable(file, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = error.as_bytes().iter().take(good);
        let line = 1 + before.filter(|byte| **byte == b'\n').count() as u64;
        DataProblem::new(file, "it is not UTF-8", "save the file as UTF-8").line(line)
    })
}

/// A heading, and the lines under it so far.
struct Open<'a> {
    line: u64,
    heading: &'a str,
    body: Vec<&'a str>,
}

fn cut(file: &Path, text: &str, problems: &mut Vec<DataProblem>) -> Vec<Passage> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut tell = |line, problem: &str, remedy: &str| {
        problems.push(DataProblem::new(file, problem, remedy).line(line));
    };
    let mut sections: Vec<Open<'_>> = Vec::new();
    let mut in_code = false;
    for (number, line) in (1..).zip(text.lines().map(str::trim_end)) {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        let heading = |marks| if in_code { None } else { heading(line, marks) };
        if let Some(title) = heading("#") {
            if sections.is_empty() {
                sections.push(Open::at(number, title));
            } else {
                tell(
                    number,
                    "it has a second title",
                    "write it as a `## Heading`",
                );
            }
        } else if sections.is_empty() {
            if !line.is_empty() {
                tell(
                    number,
                    "it does not begin with a title",
                    "begin it with `# Title`",
                );
                return Vec::new();
            }
        } else if let Some(heading) = heading("##") {
            sections.push(Open::at(number, heading));
        } else if let Some(open) = sections.last_mut() {
            open.body.push(line);
        }
    }
    if sections.is_empty() {
        tell(1, "it is empty", "begin it with `# Title`, or remove it");
    }
    // A title needs no text of its own, if there is text under headings.
    if sections.len() > 1 && sections[0].is_empty() && !sections[0].heading.is_empty() {
        sections.remove(0);
    }
    judge(&sections, &mut tell);
    let source = file.file_name().unwrap_or_default().to_string_lossy();
    let passages = sections.iter().map(|section| section.passage(&source));
    passages.collect()
}

/// What stands behind just these marks.
fn heading<'a>(line: &'a str, marks: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(marks)?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| rest.trim())
}

fn judge(sections: &[Open<'_>], tell: &mut impl FnMut(u64, &str, &str)) {
    let mut known = HashMap::new();
    for section in sections {
        let (line, heading) = (section.line, section.heading);
        if heading.is_empty() {
            tell(line, "it has a heading without words", "write the words");
        } else if let Some(first) = known.insert(heading, line) {
            let problem = format!("{} heads line {first} already", quoted(heading));
            tell(line, &problem, "name one of them otherwise");
        }
        if section.is_empty() {
            let problem = format!("there is nothing under {}", quoted(heading));
            tell(line, &problem, "write it, or remove the heading");
        }
        let length = section.text().chars().count();
        if length > LONGEST_PASSAGE {
            let problem = format!(
                "what stands under {} has {length} characters, of at most {LONGEST_PASSAGE}",
                quoted(heading)
            );
            tell(line, &problem, "divide it by another `## Heading`");
        }
    }
}

// === impl Open ===

impl<'a> Open<'a> {
    fn at(line: u64, heading: &'a str) -> Self {
        Self {
            line,
            heading,
            body: Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.body.iter().all(|line| line.is_empty())
    }

    fn text(&self) -> String {
        format!("{}\n{}", self.heading, self.body.join("\n").trim())
    }

    fn passage(&self, source: &str) -> Passage {
        Passage {
            id: format!("{source}#{}", self.heading),
            text: self.text(),
            source: source.to_owned(),
            section: self.heading.to_owned(),
        }
    }
}

#[cfg(test)]
#[path = "knowledge_tests.rs"]
mod tests;

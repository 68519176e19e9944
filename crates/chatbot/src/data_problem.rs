//! What is wrong in files that people write.

use std::{fmt, io, path::Path, path::PathBuf};

/// One thing that is wrong in a data file, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataProblem {
    /// The file or folder.
    pub file: PathBuf,
    /// The line, counted from 1; `None` where it is about the whole file.
    pub line: Option<u64>,
    /// The name of the column, where it is about one.
    pub column: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

/// Everything that is wrong in data files; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the data files have {} problems", problems.len())]
pub struct DataErrors {
    problems: Vec<DataProblem>,
}

/// How much of a value is quoted.
const QUOTED: usize = 40;

// === impl DataProblem ===

impl DataProblem {
    pub(crate) fn new(file: &Path, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// A file or folder that cannot be read.
    pub(crate) fn unreadable(file: &Path, error: &io::Error) -> Self {
        let problem = format!("it cannot be read: {error}");
        Self::new(file, problem, "see that it is there and may be read")
    }

    pub(crate) fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    pub(crate) fn column(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self
    }
}

impl fmt::Display for DataProblem {
    /// As compilers write it: `products.csv:3: unit_price: what is wrong; what to do`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if let Some(column) = &self.column {
            write!(f, " {column}:")?;
        }
        write!(f, " {}; {}", self.problem, self.remedy)
    }
}

// === impl DataErrors ===

impl DataErrors {
    /// `Err` if there are any, by file and line.
    pub(crate) fn none_of(mut problems: Vec<DataProblem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
        Err(Self { problems })
    }

    /// Each of them, by file and line.
    pub fn problems(&self) -> &[DataProblem] {
        &self.problems
    }
}

/// A value as a message quotes it: on one line, and not much of it.
pub(crate) fn quoted(value: &str) -> String {
    match value.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_like_that_of_a_compiler() {
        let problem = DataProblem::new(Path::new("a/b.csv"), "bad", "mend it");
        assert_eq!(problem.to_string(), "a/b.csv: bad; mend it");
        let problem = problem.line(3).column("sku");
        assert_eq!(problem.to_string(), "a/b.csv:3: sku: bad; mend it");
    }

    #[test]
    fn a_long_value_is_cut_and_stays_on_one_line() {
        assert_eq!(quoted("a\nb"), "\"a\\nb\"");
        assert_eq!(quoted(&"é".repeat(50)), format!("\"{}\"…", "é".repeat(40)));
    }

    #[test]
    fn problems_come_by_file_and_line() {
        let problem = |file: &str, line| DataProblem::new(Path::new(file), "", "").line(line);
        let errors = DataErrors::none_of(vec![problem("b", 1), problem("a", 10), problem("a", 9)]);
        let sorted = [problem("a", 9), problem("a", 10), problem("b", 1)];
        assert_eq!(errors.unwrap_err().problems(), sorted);
        assert_eq!(DataErrors::none_of(Vec::new()), Ok(()));
    }
}

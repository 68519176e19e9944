//! Comma-separated values with a head, read row by row; what is wrong is told with its place.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
    fs,
    path::{Path, PathBuf},
};

use csv::{ByteRecord, Reader, ReaderBuilder, Trim};

use super::rules::Refused;
use crate::{DataProblem, data_problem::quoted};

/// A file of comma-separated values.
pub(super) struct Table {
    file: PathBuf,
    columns: &'static [&'static str],
    /// Where each column stands.
    places: HashMap<&'static str, usize>,
    reader: Reader<fs::File>,
    rows: usize,
    /// The line of each value of a column whose values are unique.
    taken: HashMap<(&'static str, String), u64>,
}

/// A row with as many fields as there are columns.
pub(super) struct Row<'a> {
    line: u64,
    record: ByteRecord,
    table: &'a mut Table,
    problems: &'a mut Vec<DataProblem>,
}

// === impl Table ===

impl Table {
    /// Opens a file and reads its head; `None` if that is wrong.
    pub(super) fn open(
        file: &Path,
        columns: &'static [&'static str],
        problems: &mut Vec<DataProblem>,
    ) -> Option<Self> {
        let opened = match fs::File::open(file) {
            Ok(opened) => opened,
            Err(error) => {
                problems.push(DataProblem::unreadable(file, &error));
                return None;
            }
        };
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .trim(Trim::All)
            .from_reader(opened);
        let head: Vec<Cow<'_, str>> = match reader.byte_headers() {
            Ok(head) => head.iter().map(String::from_utf8_lossy).collect(),
            Err(error) => {
                problems.push(broken(file, &error));
                return None;
            }
        };
        let places = places(file, columns, &head, problems)?;
        Some(Self {
            file: file.to_owned(),
            columns,
            places,
            reader,
            rows: 0,
            taken: HashMap::new(),
        })
    }

    /// The next row that has all its fields; tells of those that have not. `None` at the end of
    /// the file.
    pub(super) fn next_row<'a>(
        &'a mut self,
        problems: &'a mut Vec<DataProblem>,
    ) -> Option<Row<'a>> {
        let mut record = ByteRecord::new();
        loop {
            match self.reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => {
                    if self.rows == 0 {
                        let problem = "it has no row beside its head";
                        let remedy = "restore the file; nothing is read from an empty one";
                        problems.push(DataProblem::new(&self.file, problem, remedy));
                    }
                    return None;
                }
                Err(error) => {
                    problems.push(broken(&self.file, &error));
                    return None;
                }
            }
            self.rows += 1;
            let line = record.position().map_or(0, csv::Position::line);
            let (found, wanted) = (record.len(), self.columns.len());
            if found == wanted {
                return Some(Row {
                    line,
                    record,
                    table: self,
                    problems,
                });
            }
            let problem = format!("it has {found} fields instead of {wanted}");
            let remedy = "quote a field that holds a comma, and close each quote";
            problems.push(DataProblem::new(&self.file, problem, remedy).line(line));
        }
    }
}

/// Where each column stands; `None` if the head is not what it should be.
fn places(
    file: &Path,
    columns: &'static [&'static str],
    head: &[Cow<'_, str>],
    problems: &mut Vec<DataProblem>,
) -> Option<HashMap<&'static str, usize>> {
    let before = problems.len();
    let told = |problem: String, remedy: String| DataProblem::new(file, problem, remedy).line(1);
    if let [only] = head
        && only.contains([';', '\t'])
    {
        let problem = "its columns are not separated by commas".to_owned();
        problems.push(told(
            problem,
            "export it anew, separated by commas".to_owned(),
        ));
        return None;
    }
    let mut places = HashMap::new();
    for (place, name) in head.iter().enumerate() {
        let known = columns.iter().copied().find(|column| *column == &**name);
        match known.map(|column| places.insert(column, place)) {
            Some(None) => {}
            Some(Some(_)) => problems.push(told(
                format!("the column {name} stands twice"),
                "remove one of them".to_owned(),
            )),
            None => problems.push(told(
                format!("there is no column {}", quoted(name)),
                format!("remove it; the columns are {}", columns.join(",")),
            )),
        }
    }
    for column in columns {
        if !places.contains_key(column) {
            let problem = format!("the column {column} is missing");
            problems.push(told(
                problem,
                "add it to the head and to each row".to_owned(),
            ));
        }
    }
    (problems.len() == before).then_some(places)
}

fn broken(file: &Path, error: &csv::Error) -> DataProblem {
    let problem = format!("it cannot be read: {error}");
    let found = DataProblem::new(file, problem, "see that it is a file that may be read");
    match error.position() {
        Some(position) => found.line(position.line()),
        None => found,
    }
}

// === impl Row ===

impl Row<'_> {
    /// A field as `rule` reads it; tells what is wrong with it.
    pub(super) fn read<T>(
        &mut self,
        column: &'static str,
        rule: impl FnOnce(&str) -> Result<T, Refused>,
    ) -> Option<T> {
        let refused = match self.field(column).map(rule) {
            Some(Ok(value)) => return Some(value),
            Some(Err(refused)) => refused,
            None => ("it is not UTF-8".to_owned(), "save the file as UTF-8"),
        };
        self.tell(column, refused);
        None
    }

    /// Tells if an earlier row has the same value there.
    pub(super) fn unique(&mut self, column: &'static str) {
        let Some(value) = self.field(column).filter(|value| !value.is_empty()) else {
            return;
        };
        let value = value.to_owned();
        let problem = match self.table.taken.entry((column, value)) {
            Entry::Vacant(free) => {
                free.insert(self.line);
                return;
            }
            Entry::Occupied(first) => format!(
                "{} stands in line {} already",
                quoted(&first.key().1),
                first.get()
            ),
        };
        self.tell(
            column,
            (problem, "remove one of them, or name it otherwise"),
        );
    }

    fn field(&self, column: &'static str) -> Option<&str> {
        let place = *self.table.places.get(column)?;
        str::from_utf8(self.record.get(place)?).ok()
    }

    fn tell(&mut self, column: &'static str, (problem, remedy): Refused) {
        let found = DataProblem::new(&self.table.file, problem, remedy);
        self.problems.push(found.line(self.line).column(column));
    }
}

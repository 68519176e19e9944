//! The outlets that are delivered to, and which of them a message names.

mod names;
#[cfg(test)]
mod tests;

use deadpool_postgres::Pool;
use tokio_postgres::Row;

use self::names::Name;
use crate::DatabaseError;

/// A customer's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// Its number in the database.
    pub id: i64,
    /// What it is called; unique.
    pub name: String,
    /// Street and number.
    pub address_line: String,
    /// May be empty.
    pub postal_code: String,
    /// The town.
    pub city: String,
    /// ISO 3166-1 alpha-2, as in `IT`.
    pub country: String,
    /// In which its customers are answered; BCP 47, as in `it` or `pt-BR`.
    pub language: String,
}

/// Which outlet a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutletMatch {
    /// This one.
    Sure(Outlet),
    /// One of these: ask which. Also one that is likely and not certain.
    Unsure(Vec<Outlet>),
    /// None that is known.
    None,
}

/// The outlets of one moment, by their names.
#[derive(Clone, Debug, Default)]
pub struct Outlets {
    entries: Vec<(Outlet, Name)>,
}

const LIST: &str = "
SELECT id, name, address_line, postal_code, city, country, language FROM outlets
 WHERE active ORDER BY name";

const FIND: &str = "
SELECT id, name, address_line, postal_code, city, country, language FROM outlets
 WHERE active AND id = $1";

/// An outlet that is delivered to.
///
/// # Errors
/// [`DatabaseError`].
pub async fn find(pool: &Pool, id: i64) -> Result<Option<Outlet>, DatabaseError> {
    let client = pool.get().await?;
    let find = client.prepare_cached(FIND).await?;
    let row = client.query_opt(&find, &[&id]).await?;
    Ok(row.as_ref().map(Outlet::of))
}

// === impl Outlet ===

impl Outlet {
    fn of(row: &Row) -> Self {
        Self {
            id: row.get(0),
            name: row.get(1),
            address_line: row.get(2),
            postal_code: row.get(3),
            city: row.get(4),
            country: row.get(5),
            language: row.get(6),
        }
    }
}

// === impl Outlets ===

impl Outlets {
    /// Reads all that are delivered to: one query.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn list(pool: &Pool) -> Result<Self, DatabaseError> {
        let client = pool.get().await?;
        let list = client.prepare_cached(LIST).await?;
        let rows = client.query(&list, &[]).await?;
        Ok(rows.iter().map(Outlet::of).collect())
    }

    /// The outlets, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Outlet> {
        self.entries.iter().map(|(outlet, _)| outlet)
    }

    /// The outlet with this number.
    pub fn get(&self, id: i64) -> Option<&Outlet> {
        self.iter().find(|outlet| outlet.id == id)
    }

    /// The outlet that a text names. Case and accents do not matter, and a word of five letters or
    /// more may have one slip.
    ///
    /// A name is sure where all of it stands in the text, and no other does. A part of a name is
    /// sure only where it is the whole text and of one outlet alone, as in the answer to a
    /// question; in a sentence it is a reason to ask.
    pub fn by_name(&self, text: &str) -> OutletMatch {
        let found = names::find(text, self.entries.iter().map(|(_, name)| name));
        let outlets = found.places.iter().map(|at| self.entries[*at].0.clone());
        let mut outlets: Vec<Outlet> = outlets.collect();
        match outlets.len() {
            0 => OutletMatch::None,
            1 if found.is_certain => OutletMatch::Sure(outlets.remove(0)),
            _ => OutletMatch::Unsure(outlets),
        }
    }
}

impl FromIterator<Outlet> for Outlets {
    fn from_iter<T: IntoIterator<Item = Outlet>>(outlets: T) -> Self {
        let entries = outlets.into_iter().map(|outlet| {
            let name = Name::new(&outlet.name);
            (outlet, name)
        });
        Self {
            entries: entries.collect(),
        }
    }
}

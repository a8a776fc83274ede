//! Rows in order of creation that are found by id.

use serde::{Serialize, Serializer};
use std::collections::HashMap;

/// Something with an id of its own.
pub(crate) trait Row {
    fn id(&self) -> &str;
}

/// Rows are added and changed, never removed.
#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    index: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), index: HashMap::new() }
    }
}

impl<T: Row> Table<T> {
    /// Adds a row; a row with the same id is replaced in its place.
    pub(crate) fn put(&mut self, row: T) {
        match self.index.get(row.id()) {
            Some(&at) => self.rows[at] = row,
            None => {
                self.index.insert(row.id().to_owned(), self.rows.len());
                self.rows.push(row);
            }
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.index.get(id).map(|&at| &self.rows[at])
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.index.get(id).map(|&at| &mut self.rows[at])
    }

    /// In order of creation.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.rows.iter()
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}

//! The list of who was forgotten, in a file beside the store: a backup that is put in the store's place does not know it. One
//! line for each, a keyed hash and a time; without the store's key it says nothing of anybody.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
};

use upsell_core::domain::{CustomerHash, HASHED};
use wire::UnixSeconds;

/// The file.
#[derive(Clone, Debug)]
pub struct ForgottenList {
    path: PathBuf,
}

impl ForgottenList {
    /// Opens the list, and makes it where there is none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Returns everybody on it, each with the latest time. A line that was cut off or damaged says nothing.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> io::Result<BTreeMap<CustomerHash, UnixSeconds>> {
        let mut listed = BTreeMap::new();
        for line in BufReader::new(File::open(&self.path)?).split(b'\n') {
            let line = line?;
            let Some((hash, at)) = std::str::from_utf8(&line).ok().and_then(|line| line.split_once(' '))
            else {
                continue;
            };
            let (Ok(at), true) = (at.parse(), hash.starts_with(HASHED)) else { continue };
            let known = listed.entry(CustomerHash(hash.to_owned())).or_insert(UnixSeconds(at));
            *known = (*known).max(UnixSeconds(at));
        }
        Ok(listed)
    }

    /// Adds to it. On the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&self, more: &BTreeMap<CustomerHash, UnixSeconds>) -> io::Result<()> {
        if more.is_empty() {
            return Ok(());
        }
        // A line that was cut off ends here.
        let lines: String = more.iter().map(|(hash, at)| format!("\n{} {}\n", hash.0, at.0)).collect();
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        file.write_all(lines.as_bytes())?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_read_and_a_bad_line_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("forgotten");
        let list = ForgottenList::open(&path).unwrap();
        assert!(list.read().unwrap().is_empty());
        let hash = |name: &str| CustomerHash(format!("{HASHED}{name}"));
        list.append(&BTreeMap::from([(hash("a"), UnixSeconds(5))])).unwrap();
        let mut damaged = std::fs::read(&path).unwrap();
        damaged.extend_from_slice(b"\xff\xfe 5\n");
        damaged.extend_from_slice(format!("{HASHED}b").as_bytes());
        std::fs::write(&path, damaged).unwrap();
        let list = ForgottenList::open(&path).unwrap();
        list.append(&BTreeMap::from([(hash("a"), UnixSeconds(9)), (hash("c"), UnixSeconds(7))])).unwrap();
        let expected = BTreeMap::from([(hash("a"), UnixSeconds(9)), (hash("c"), UnixSeconds(7))]);
        assert_eq!(list.read().unwrap(), expected);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ForgottenList::open(&folder.path().join("no/such/folder/list")).is_err());
    }
}

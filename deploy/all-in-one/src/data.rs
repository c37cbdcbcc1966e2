//! The folder with everything that outlives a run; held by one process at a time.

use std::fmt::Write;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The folder, held until dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _held: File,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    /// It cannot be made or written to.
    #[error("cannot use the data folder {}: {cause}; choose another with --data", .path.display())]
    Unusable {
        /// The folder asked for.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Another process has it.
    #[error("the data folder {} is in use by another lyceum; stop it or choose another with --data", .0.display())]
    Held(PathBuf),
    /// Settings are text, so the path must be.
    #[error("the path of the data folder {} is not UTF-8; choose another with --data", .0.display())]
    NotText(PathBuf),
}

impl DataFolder {
    /// Makes the folder when it is missing, for the owner alone, and takes hold of it.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let unusable = |cause| DataError::Unusable {
            path: path.to_owned(),
            cause,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(unusable)?;
        let absolute = fs::canonicalize(path).map_err(unusable)?;
        let held = File::create(absolute.join("lock")).map_err(unusable)?;
        match held.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataError::Held(absolute)),
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
        if absolute.to_str().is_none() {
            return Err(DataError::NotText(absolute));
        }
        Ok(Self {
            path: absolute,
            _held: held,
        })
    }

    /// Where it is; absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// URL of the SQLite database `name`, which is made when missing.
    pub(crate) fn database_url(&self, name: &str) -> String {
        let file = self.path.join(format!("{name}.db"));
        format!(
            "sqlite://{}?mode=rwc",
            percent_encoded(&file.to_string_lossy())
        )
    }
}

/// RFC 3986: all but unreserved characters and `/`, so that no character of a path ends the URL.
fn percent_encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(encoded, "%{byte:02X}").ok();
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_missing_folder_is_made_for_the_owner_alone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&parent.path().join("a/b")).unwrap();
        let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named_in_one_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().join("data");
        let message = DataFolder::open(&path).unwrap_err().to_string();
        assert!(message.contains(path.to_str().unwrap()), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }

    #[test]
    fn a_folder_is_held_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).unwrap();
        assert!(matches!(
            DataFolder::open(folder.path()),
            Err(DataError::Held(_))
        ));
        drop(first);
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn no_character_of_the_path_ends_the_database_url() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&parent.path().join("what? 100%#")).unwrap();
        let url = folder.database_url("user");
        assert!(
            url.ends_with("/what%3F%20100%25%23/user.db?mode=rwc"),
            "{url}"
        );
    }
}

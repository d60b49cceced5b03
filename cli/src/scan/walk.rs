//! From the paths of the command line to the files to scan.
//!
//! Everything that is found is either a source or an error, except folders, and links to folders
//! that are walked anyway.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pickleproof_reports::escape;
use pickleproof_reports::v1::Error;
use walkdir::WalkDir;

/// What there is to scan.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order of their names, each once.
    pub(super) sources: Vec<Source>,
    /// What can't be scanned.
    pub(super) errors: Vec<Error>,
}

/// Something to scan.
#[derive(Debug)]
pub(super) struct Source {
    /// What the report calls it.
    pub(super) name: String,
    /// The file; none for standard input.
    pub(super) file: Option<PathBuf>,
}

/// Finds the files. A path that is a folder, or a link to one, is walked.
pub(super) fn find(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    let mut links = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            found.sources.push(Source {
                name: "-".to_owned(),
                file: None,
            });
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => found.walk(path, &mut links),
            // What is no file is an error when its turn comes.
            Ok(_) => found.file(path.clone()),
            Err(error) => found.error(path, &error),
        }
    }
    found.check(&links, paths);
    found.sources.sort_by(|a, b| a.name.cmp(&b.name));
    found.sources.dedup_by(|a, b| a.name == b.name);
    found
}

impl Found {
    fn walk(&mut self, root: &Path, links: &mut Vec<PathBuf>) {
        // Links are not followed, so that no loop of them can hang the walk. Those to files are
        // opened later; those to folders are checked at the end.
        for entry in WalkDir::new(root) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    self.error(&path, &error.into());
                    continue;
                }
            };
            // The root itself is a folder, if by a link.
            if entry.depth() == 0 || entry.file_type().is_dir() {
                continue;
            }
            if entry.file_type().is_symlink() {
                match fs::metadata(entry.path()) {
                    Ok(metadata) if metadata.is_dir() => {
                        links.push(entry.into_path());
                        continue;
                    }
                    Ok(_) => {}
                    Err(error) => {
                        self.error(entry.path(), &error);
                        continue;
                    }
                }
            }
            self.file(entry.into_path());
        }
    }

    /// Says which links to folders lead to what is not walked.
    fn check(&mut self, links: &[PathBuf], paths: &[PathBuf]) {
        if links.is_empty() {
            return;
        }
        let roots: Vec<PathBuf> = paths
            .iter()
            .filter_map(|path| fs::canonicalize(path).ok())
            .collect();
        for link in links {
            match fs::canonicalize(link) {
                Ok(target) if roots.iter().any(|root| target.starts_with(root)) => {}
                Ok(_) => {
                    let what = "a symbolic link to a folder elsewhere: not followed";
                    self.error(link, &io::Error::other(what));
                }
                Err(error) => self.error(link, &error),
            }
        }
    }

    fn file(&mut self, path: PathBuf) {
        self.sources.push(Source {
            name: escape::path(&path),
            file: Some(path),
        });
    }

    fn error(&mut self, path: &Path, error: &io::Error) {
        // An error of the walk holds the path once more, and not escaped.
        let message = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(inner) => walk_error(inner),
            None => error.to_string(),
        };
        self.errors.push(Error {
            path: escape::path(path),
            message,
        });
    }
}

fn walk_error(error: &walkdir::Error) -> String {
    error.io_error().map_or_else(
        || "a loop of symbolic links".to_owned(),
        ToString::to_string,
    )
}

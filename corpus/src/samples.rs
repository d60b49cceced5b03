//! The samples of `corpus/samples` with what a scanner is expected to say of each.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A sample as it is committed.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its path below `corpus/samples`, with `/`: `calls/reduce.pkl`.
    pub name: String,
    /// The committed bytes.
    pub bytes: Vec<u8>,
    /// The file of the bytes.
    pub path: PathBuf,
    /// The source that assembles to the bytes.
    pub source: PathBuf,
    /// The risk that a scanner is to report.
    pub risk: Risk,
    /// The integrity that a scanner is to report.
    pub integrity: Integrity,
    /// One line on what the sample is.
    pub description: String,
}

/// What loading a sample would do, from harmless to harmful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Data only.
    Inert,
    /// All effects are known to be safe.
    Trusted,
    /// Something is not known.
    Review,
    /// A dual-use capability, an evasion technique, or a sink that is not called.
    Suspicious,
    /// A sink is reached.
    Malicious,
}

impl Risk {
    /// The word of the manifest and the reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inert => "inert",
            Self::Trusted => "trusted",
            Self::Review => "review",
            Self::Suspicious => "suspicious",
            Self::Malicious => "malicious",
        }
    }
}

/// How whole a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Integrity {
    /// STOP is reached and nothing is left over.
    Complete,
    /// Bytes after STOP belong to nothing.
    Trailing,
    /// A limit or an unsupported part hides some of it.
    Limited,
    /// It ends before STOP.
    Truncated,
    /// A loader would reject it.
    Corrupt,
}

impl Integrity {
    /// The word of the manifest and the reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Trailing => "trailing",
            Self::Limited => "limited",
            Self::Truncated => "truncated",
            Self::Corrupt => "corrupt",
        }
    }
}

/// Why the samples can't be read: the file, and what is wrong with it.
#[derive(Debug)]
pub struct SamplesError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for SamplesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.message)
    }
}

impl std::error::Error for SamplesError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    sample: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    description: String,
    risk: Risk,
    integrity: Integrity,
}

/// The folder of this crate, where `manifest.toml`, `samples/` and `pickle.dict` stand.
#[must_use]
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the source of a sample stands: beside it, its name up to the first dot and `.pkasm`.
///
/// ```
/// use std::path::Path;
///
/// let source = pickleproof_corpus::source_of(Path::new("containers/model.pkl.gz"));
/// assert_eq!(source, Path::new("containers/model.pkasm"));
/// ```
#[must_use]
pub fn source_of(sample: &Path) -> PathBuf {
    let name = sample.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    sample.with_file_name(format!("{stem}.pkasm"))
}

/// Every sample, in the order of the manifest.
///
/// # Errors
///
/// The first file that can't be read or understood.
pub fn samples() -> Result<Vec<Sample>, SamplesError> {
    let path = folder().join("manifest.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| failure(&path, &error))?;
    let manifest: Manifest = toml::from_str(&text).map_err(|error| failure(&path, &error))?;
    manifest.sample.into_iter().map(sample).collect()
}

fn sample(entry: Entry) -> Result<Sample, SamplesError> {
    let path = folder().join("samples").join(&entry.file);
    let bytes = std::fs::read(&path).map_err(|error| failure(&path, &error))?;
    Ok(Sample {
        source: source_of(&path),
        name: entry.file,
        bytes,
        path,
        risk: entry.risk,
        integrity: entry.integrity,
        description: entry.description,
    })
}

fn failure(path: &Path, error: &dyn fmt::Display) -> SamplesError {
    SamplesError {
        path: path.into(),
        message: error.to_string(),
    }
}

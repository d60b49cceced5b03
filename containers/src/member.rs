//! What a walk hands out: members, gaps and differences.

use crate::Format;

/// Who would load the bytes of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Loader {
    /// `pickle.load`, and everything that ends there.
    PickleLoad,
    /// `torch.load`.
    TorchLoad,
    /// `joblib.load`.
    JoblibLoad,
    /// `numpy.load(allow_pickle=True)`.
    NumpyLoad,
}

impl Loader {
    /// The loader's name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PickleLoad => "pickle.load",
            Self::TorchLoad => "torch.load",
            Self::JoblibLoad => "joblib.load",
            Self::NumpyLoad => "numpy.load",
        }
    }
}

/// Bytes that a loader could be given: the artifact, an entry of an archive, or expanded data.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// The artifact's path and the names inside it, joined by `!/`: `model.pt!/archive/data.pkl`.
    /// Names inside are escaped: a byte that is not UTF-8, a control character, a bidirectional
    /// control and a backslash show as `\xNN` or `\u{NNNN}`. Expanded data is `content`.
    pub location: &'a str,
    /// What the bytes are.
    pub format: Format,
    /// Who would load them.
    pub loader: Loader,
    /// The bytes; a slice of the artifact itself where nothing had to be expanded.
    pub bytes: &'a [u8],
    /// Why the bytes are not all there, if they are not: a limit, a truncated or corrupt container.
    pub partial: Option<&'a str>,
    /// How many containers the member is in; 0 for the artifact.
    pub depth: u32,
    /// Whether a loader that opens the artifact reads these bytes from their start on: the artifact
    /// itself, and what comes out of its compression.
    pub top: bool,
}

/// Why something was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapKind {
    /// A limit was hit.
    Limited,
    /// The data is broken or ends too early.
    Corrupt,
    /// A format, method or feature that is not read.
    Unsupported,
    /// The data is encrypted.
    Encrypted,
}

/// In what the views of a container disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DifferenceKind {
    /// More than one end record, or central directory, could be meant.
    Directory,
    /// The end record counts other than what the central directory holds.
    Count,
    /// A local header that no central entry points to.
    LocalOnly,
    /// Two entries have one name.
    DuplicateName,
    /// The two headers of an entry name it differently.
    Name,
    /// The two headers of an entry give different methods.
    Method,
    /// Sizes that disagree with each other or with the data.
    Size,
    /// The two headers of an entry have different flags.
    Flags,
    /// An entry is marked as encrypted and is not.
    NotEncrypted,
    /// Two entries share bytes.
    Overlap,
    /// There are bytes before the container's first part.
    Prepended,
    /// There are bytes after the container's end.
    Trailing,
    /// The bytes are two kinds of container at once.
    Polyglot,
}

/// A disagreement between the views of a container: readers that take another view get other bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What disagrees.
    pub kind: DifferenceKind,
    /// One sentence: who sees what. Names in it are escaped.
    pub text: String,
}

/// Takes what a walk finds, in order.
pub trait Visitor {
    /// Takes a member. The bytes live only during the call.
    fn member(&mut self, member: &Member<'_>);

    /// Takes note of something that was not looked at, at `offset` in the bytes of `location`.
    fn gap(&mut self, location: &str, offset: u64, reason: &str, kind: GapKind);

    /// Takes note of views that disagree, at `offset` in the bytes of `location`.
    fn difference(&mut self, location: &str, offset: u64, difference: &Difference);
}

//! The words of a verdict: risk, integrity, findings with their evidence, and what a stream,
//! a member and an artifact come to.

use core::fmt;

/// What loading would come to, from harmless to harmful. The order is the order of badness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Risk {
    /// No imports and no calls: data only.
    #[default]
    Inert,
    /// Every effect is accounted for by the knowledge base as safe in the role it plays.
    Trusted,
    /// Something is not known: an unknown global, an unresolved callable, a gap.
    Review,
    /// A dual-use capability, an evasion technique, or a sink that is imported but not called.
    Suspicious,
    /// A sink is reached.
    Malicious,
}

impl Risk {
    /// Every risk, from the least to the worst.
    pub const ALL: [Self; 5] = [
        Self::Inert,
        Self::Trusted,
        Self::Review,
        Self::Suspicious,
        Self::Malicious,
    ];

    /// The word of the report, in lower case.
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

/// How much of the bytes could be accounted for. The order is the order of badness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Integrity {
    /// STOP was reached, nothing is left over, every part was looked at.
    #[default]
    Complete,
    /// Bytes after STOP that belong to nothing.
    Trailing,
    /// The stream ends before STOP.
    Truncated,
    /// A loader would reject it.
    Corrupt,
    /// A limit or an unsupported part kept us from looking at all of it.
    Limited,
}

impl Integrity {
    /// Every integrity, from the best to the worst.
    pub const ALL: [Self; 5] = [
        Self::Complete,
        Self::Trailing,
        Self::Truncated,
        Self::Corrupt,
        Self::Limited,
    ];

    /// The word of the report, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Trailing => "trailing",
            Self::Truncated => "truncated",
            Self::Corrupt => "corrupt",
            Self::Limited => "limited",
        }
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing, changes no verdict.
    Info,
    /// Odd, changes no verdict by itself.
    Low,
    /// Needs a reader: the verdict is `review`.
    Medium,
    /// The verdict is `suspicious`.
    High,
    /// The verdict is `malicious`.
    Critical,
}

impl Severity {
    /// Every severity, from the mildest to the worst.
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The word of the report, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How sure a finding is of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A guess from circumstances.
    Low,
    /// Likely; something was over-approximated.
    Medium,
    /// Follows from the bytes and the knowledge base.
    High,
}

impl Confidence {
    /// The word of the report, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What a callable can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Runs Python source or a code object.
    Exec,
    /// Starts a process or a shell.
    Process,
    /// Imports a module that its arguments name.
    Import,
    /// Loads or runs native code.
    Native,
    /// Writes, moves or deletes files.
    FsWrite,
    /// Reads files.
    FsRead,
    /// Talks to the network.
    Net,
    /// Loads another serialised object.
    Deserialize,
    /// Reads or sets attributes, frames, namespaces.
    Reflect,
    /// Reads or sets the process's environment.
    Env,
    /// Ends or signals the process.
    Exit,
    /// Calls a callable it was given.
    Callback,
    /// Uses up memory, time or handles.
    Resource,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 13] = [
        Self::Exec,
        Self::Process,
        Self::Import,
        Self::Native,
        Self::FsWrite,
        Self::FsRead,
        Self::Net,
        Self::Deserialize,
        Self::Reflect,
        Self::Env,
        Self::Exit,
        Self::Callback,
        Self::Resource,
    ];

    /// The word of the report and of the knowledge base.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Process => "process",
            Self::Import => "import",
            Self::Native => "native",
            Self::FsWrite => "fs-write",
            Self::FsRead => "fs-read",
            Self::Net => "net",
            Self::Deserialize => "deserialize",
            Self::Reflect => "reflect",
            Self::Env => "env",
            Self::Exit => "exit",
            Self::Callback => "callback",
            Self::Resource => "resource",
        }
    }

    /// The capability that `name` stands for.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|capability| capability.name() == name)
    }
}

/// What the knowledge base makes of a global.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// Safe in the roles that its entry names.
    Safe,
    /// On no list.
    Unknown,
    /// Harmless or harmful, by its arguments.
    Dual,
    /// Does the harm, or leads to what does.
    Sink,
}

impl Trust {
    /// The word of the report, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unknown => "unknown",
            Self::Dual => "dual",
            Self::Sink => "sink",
        }
    }
}

macro_rules! display_by_name {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    )*};
}
display_by_name!(Risk, Integrity, Severity, Confidence, Capability, Trust);

/// One instruction that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Offset of the opcode in its member's bytes.
    pub offset: u64,
    /// The opcode's name in pickletools.
    pub opcode: &'static str,
    /// What it contributes.
    pub note: String,
}

/// Something that a rule has to say about a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's identifier, a row of [`crate::rules::RULES`].
    pub rule: &'static str,
    /// The rule's title.
    pub title: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// One sentence for this very place.
    pub message: String,
    /// The artifact's path and the members that lead to the place, `model.pt!/archive/data.pkl`.
    pub location: String,
    /// Offset in the member's bytes.
    pub offset: u64,
    /// Length in bytes of what the finding is about.
    pub length: u64,
    /// The instructions it rests on, in stream order.
    pub evidence: Vec<Evidence>,
    /// The call path from the named callable to the primitive that does the harm.
    pub witness: Vec<String>,
    /// Where to read on: CWE, CVE, PEP, documentation.
    pub references: &'static [&'static str],
}

/// A part that was not looked at, and why. A gap is never clean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Where, as in [`Finding::location`].
    pub location: String,
    /// Offset in the member's bytes from which on nothing was looked at.
    pub offset: u64,
    /// Why not.
    pub reason: String,
}

/// A global that a stream imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    /// The module as the stream names it, escaped where it is not text.
    pub module: String,
    /// The qualified name as the stream names it.
    pub name: String,
    /// Offset of the importing opcode.
    pub offset: u64,
    /// What the knowledge base makes of it.
    pub trust: Trust,
    /// What it can do, as far as is known.
    pub capabilities: Vec<Capability>,
}

/// One effect, as a line that a person can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectRecord {
    /// `import`, `call`, `build`, `setitem`, `append`, `extend`, `add`, `persistent_load`,
    /// `extension` or `buffer`.
    pub kind: &'static str,
    /// Offset of the opcode that has the effect.
    pub offset: u64,
    /// The opcode's name in pickletools.
    pub opcode: &'static str,
    /// Python-like text, `os.system('echo pickleproof')`.
    pub text: String,
    /// How the effect was judged.
    pub risk: Risk,
}

/// Why a loader would give up on a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// The machine's name for it, `unknown-opcode`.
    pub kind: &'static str,
    /// CPython's exception class, `UnpicklingError`.
    pub python_exception: &'static str,
    /// Offset in the member's bytes.
    pub offset: u64,
    /// One sentence, ending with the offset.
    pub message: String,
}

/// One pickle stream, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamJudgement {
    /// Where it was found, as in [`Finding::location`].
    pub location: String,
    /// Offset of its first opcode in the member's bytes.
    pub offset: u64,
    /// Its length in bytes, up to and with STOP, or up to the break.
    pub length: u64,
    /// The highest protocol it declares; 0 if it declares none.
    pub protocol: u8,
    /// Who would load it, `pickle.load`, `torch.load`.
    pub loader: &'static str,
    /// Number of instructions that were run.
    pub instructions: u64,
    /// The worst of its effects.
    pub risk: Risk,
    /// How it ended.
    pub integrity: Integrity,
    /// Why a loader would give up, if it would.
    pub error: Option<StreamError>,
    /// Distinct imports in stream order, at most [`crate::Options::listed`].
    pub imports: Vec<ImportRecord>,
    /// Effects in stream order, at most [`crate::Options::listed`].
    pub effects: Vec<EffectRecord>,
    /// Number of effects, listed or not.
    pub effects_total: u64,
    /// What loaders and releases do with it that read it otherwise.
    pub readings: Vec<ReadingRecord>,
}

/// A stream as some loaders or releases read it, and others do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingRecord {
    /// Who reads it so, in words.
    pub readers: String,
    /// How it ends for them, in words.
    pub end: String,
    /// The worst of the effects that only they have.
    pub risk: Risk,
    /// Their effects in stream order, at most [`crate::Options::listed`].
    pub effects: Vec<EffectRecord>,
    /// Number of effects, listed or not.
    pub effects_total: u64,
}

/// What the user named, judged: the worst of what is inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactJudgement {
    /// What the bytes were recognised as, `pickle`, `torch-zip`, `gzip`, `text`.
    pub format: &'static str,
    /// The worst risk of its streams, findings and gaps.
    pub risk: Risk,
    /// The worst integrity inside.
    pub integrity: Integrity,
    /// Its streams, in the order they were found.
    pub streams: Vec<StreamJudgement>,
    /// Its findings, worst first, then by place.
    pub findings: Vec<Finding>,
    /// What was not looked at.
    pub gaps: Vec<Gap>,
}

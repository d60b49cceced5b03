//! The report, version 1: what a reader of the JSON may rely on.
//!
//! The names and the order of the fields are the contract. A field may be added; none is renamed,
//! removed or given another meaning, that would be `v2`. [`schema()`] is the contract for machines.

mod convert;
mod schema;
mod words;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

pub use self::schema::schema;
pub use self::words::{ByIntegrity, ByRisk, BySeverity};
pub use self::words::{Capability, Confidence, Integrity, Risk, Severity, Trust};

/// Text that is either part of this tool or of what it looked at.
pub type Text = Cow<'static, str>;

/// What a scan found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// Names this format.
    pub schema: Schema,
    /// What made the report.
    pub tool: Tool,
    /// When the scan began, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    pub started: String,
    /// When the scan ended, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    pub finished: String,
    /// The report in numbers.
    pub summary: Summary,
    /// What was scanned, ordered by path.
    pub artifacts: Vec<Artifact>,
    /// What could not be read, ordered by path.
    pub errors: Vec<Error>,
}

/// The name of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub enum Schema {
    /// This version.
    #[default]
    #[serde(rename = "pickleproof/report/v1")]
    V1,
}

/// What made a report: with the artifacts' bytes and the options, all that a verdict depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tool {
    /// The tool's name.
    pub name: Text,
    /// The tool's version.
    pub version: Text,
    /// Digest of the knowledge base, in hexadecimal.
    pub knowledge_base: Text,
}

/// A report in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// Number of artifacts.
    pub artifacts: u64,
    /// Number of pickle streams in them.
    pub streams: u64,
    /// Size of the artifacts, in bytes.
    pub bytes: u64,
    /// Number of artifacts of each risk.
    pub by_risk: ByRisk,
    /// Number of artifacts of each integrity.
    pub by_integrity: ByIntegrity,
    /// Number of listed findings of each severity.
    pub findings_by_severity: BySeverity,
}

/// A file, or what came from standard input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Artifact {
    /// The path as it was given or found, `-` for standard input. Bytes that are not UTF-8 are
    /// written `\xNN`, and on Unix a backslash `\\`, so that no two paths look alike.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of the bytes in hexadecimal; null if it was not asked for.
    pub sha256: Option<String>,
    /// What the bytes were recognised as, `pickle`, `torch-zip`, `gzip`, `text`.
    pub format: Text,
    /// The worst risk of its streams, findings and gaps.
    pub risk: Risk,
    /// The worst integrity inside.
    pub integrity: Integrity,
    /// The pickle streams inside, in the order they were found.
    pub streams: Vec<Stream>,
    /// What there is to say about it, worst first.
    pub findings: Vec<Finding>,
    /// What was not looked at.
    pub gaps: Vec<Gap>,
}

/// One pickle, from its first opcode to STOP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stream {
    /// The artifact's path and the members that lead to the stream, `model.pt!/archive/data.pkl`.
    pub location: String,
    /// Offset of the first opcode in the member's bytes.
    pub offset: u64,
    /// Length in bytes, up to and with STOP, or up to the break.
    pub length: u64,
    /// The highest protocol that it declares; 0 if it declares none.
    pub protocol: u8,
    /// Who would load it, `pickle.load`, `torch.load`.
    pub loader: Text,
    /// Number of instructions that were run.
    pub instructions: u64,
    /// The worst of its effects.
    pub risk: Risk,
    /// How it ended.
    pub integrity: Integrity,
    /// Why a loader would give up on it; null if it would not.
    pub error: Option<StreamError>,
    /// The distinct globals that it imports, in stream order; cut at a limit.
    pub imports: Vec<Import>,
    /// What loading it would do, in stream order; cut at a limit.
    pub effects: Vec<Effect>,
    /// Number of effects, listed or not.
    pub effects_total: u64,
    /// What loaders and releases do with it that read it otherwise; absent if all read it the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub readings: Vec<Reading>,
}

/// A stream as some loaders or releases read it, and others do not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reading {
    /// Who reads it so, in words.
    pub readers: String,
    /// How it ends for them, in words.
    pub end: String,
    /// The worst of the effects that only they have.
    pub risk: Risk,
    /// What loading it would do to them, in stream order; cut at a limit.
    pub effects: Vec<Effect>,
    /// Number of effects, listed or not.
    pub effects_total: u64,
}

/// Why a loader would give up on a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StreamError {
    /// The kind of error, `unknown-opcode`.
    pub kind: Text,
    /// `CPython`'s exception class, `UnpicklingError`.
    pub python_exception: Text,
    /// Offset in the member's bytes.
    pub offset: u64,
    /// One sentence, ending with the offset.
    pub message: String,
}

/// A global that a stream imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Import {
    /// The module as the stream names it.
    pub module: String,
    /// The qualified name as the stream names it.
    pub name: String,
    /// Offset of the importing opcode in the member's bytes.
    pub offset: u64,
    /// What the knowledge base makes of it.
    pub trust: Trust,
    /// What it can do, as far as is known.
    pub capabilities: Vec<Capability>,
}

/// One thing that a loader would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Effect {
    /// `import`, `call`, `build`, `setitem`, `append`, `extend`, `add`, `persistent_load`,
    /// `extension` or `buffer`.
    pub kind: Text,
    /// Offset of the opcode in the member's bytes.
    pub offset: u64,
    /// The opcode's name in Python's `pickletools`.
    pub opcode: Text,
    /// The effect as Python-like text, `os.system('echo pickleproof')`.
    pub text: String,
    /// How it was judged.
    pub risk: Risk,
}

/// What a rule has to say about a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The rule's identifier.
    pub rule: Text,
    /// The rule's title.
    pub title: Text,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// One sentence for this very place.
    pub message: String,
    /// The artifact's path and the members that lead to the place.
    pub location: String,
    /// Offset in the member's bytes.
    pub offset: u64,
    /// Length in bytes of what the finding is about.
    pub length: u64,
    /// The instructions that it rests on, in stream order.
    pub evidence: Vec<Evidence>,
    /// The call path from the named callable to the primitive that does the harm.
    pub witness: Vec<String>,
    /// Where to read on.
    pub references: Vec<Text>,
}

/// One instruction that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Evidence {
    /// Offset of the opcode in the member's bytes.
    pub offset: u64,
    /// The opcode's name in Python's `pickletools`.
    pub opcode: Text,
    /// What it contributes.
    pub note: String,
}

/// A part that was not looked at. A gap is never clean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Gap {
    /// The artifact's path and the members that lead to the place.
    pub location: String,
    /// Offset in the member's bytes from which on nothing was looked at.
    pub offset: u64,
    /// Why not.
    pub reason: String,
}

/// Something that was named or found and could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Error {
    /// The path, as in an artifact.
    pub path: String,
    /// Why not.
    pub message: String,
}

impl Report {
    /// A report of these artifacts and errors, which it puts in order and sums up. The times are
    /// from [`rfc3339`](crate::rfc3339).
    #[must_use]
    pub fn new(
        tool: Tool,
        (started, finished): (String, String),
        mut artifacts: Vec<Artifact>,
        mut errors: Vec<Error>,
    ) -> Self {
        artifacts.sort_by(|a, b| a.path.cmp(&b.path));
        errors.sort();
        let summary = Summary::of(&artifacts);
        Self {
            schema: Schema::V1,
            tool,
            started,
            finished,
            summary,
            artifacts,
            errors,
        }
    }
}

impl Summary {
    fn of(artifacts: &[Artifact]) -> Self {
        let mut summary = Self::default();
        for artifact in artifacts {
            summary.artifacts = summary.artifacts.saturating_add(1);
            summary.streams = summary
                .streams
                .saturating_add(artifact.streams.len() as u64);
            summary.bytes = summary.bytes.saturating_add(artifact.size);
            summary.by_risk.count(artifact.risk);
            summary.by_integrity.count(artifact.integrity);
            for finding in &artifact.findings {
                summary.findings_by_severity.count(finding.severity);
            }
        }
        summary
    }
}

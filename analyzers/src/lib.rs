//! Judges what loading a pickle would do.
//!
//! Start at [`judge`]: bytes in, an [`ArtifactJudgement`](judgement::ArtifactJudgement) out. The
//! judgement is default deny: a verdict is earned by accounting for every effect of every stream,
//! by the knowledge base (`kb/`), and not by failing to match a list. It depends on the bytes, the
//! version of this crate and the knowledge base, never on what the host has installed.
//!
//! ```
//! use pickleproof_analyzers::{Options, judge, judgement::Risk};
//!
//! let judgement = judge("model.pkl", b"cos\nsystem\n(S'echo pickleproof'\ntR.", &Options::default());
//! assert_eq!(judgement.risk, Risk::Malicious);
//! assert_eq!(judgement.findings[0].rule, "sink-called");
//! ```

#![forbid(unsafe_code)]

mod artifact;
mod assess;
mod evaluate;
mod findings;
pub mod judgement;
mod knowledge;
mod meaning;
mod names;
mod payload;
pub mod render;
pub mod rules;
mod stream;
mod subject;

pub use artifact::judge;
pub use knowledge::{
    KnownGlobal, add_knowledge, knowledge_base_digest, knowledge_base_sources, known_global,
};

/// What the analysis may spend and list.
#[derive(Debug, Clone)]
pub struct Options {
    /// At most this many imports and effects are listed for a stream, and streams, findings and
    /// gaps for an artifact. What is not listed is judged all the same.
    pub listed: usize,
    /// How streams are run, and what a run may spend.
    pub machine: pickleproof_core::Options,
    /// What the walk through containers may spend.
    pub containers: pickleproof_containers::Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listed: 1000,
            machine: pickleproof_core::Options::default(),
            containers: pickleproof_containers::Limits::default(),
        }
    }
}

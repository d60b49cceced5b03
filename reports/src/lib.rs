//! The report of a scan: one serialisable model, [`v1`], and many renderers, [`Format`].
//!
//! A scan turns each [`ArtifactJudgement`] into a [`v1::Artifact`], collects them in a
//! [`v1::Report`] and hands that to [`Format::render`]. The model is a contract with its readers
//! (`schema/report-v1.schema.json`), so it has its own types and converters and never shows the
//! analyzers' internals.
//!
//! Everything that a renderer shows to a person goes through [`escape`] first.
//!
//! [`ArtifactJudgement`]: pickleproof_analyzers::judgement::ArtifactJudgement

pub mod dis;
pub mod escape;
mod format;
mod time;
pub mod v1;

pub use crate::format::{Format, Style};
pub use crate::time::rfc3339;

//! From the analyzers' types to the report's. Every field is named once, so that a new field of a
//! judgement is an error here until someone decides where it goes.

use pickleproof_analyzers::judgement::{self, ArtifactJudgement};

use super::{Artifact, Effect, Evidence, Finding, Gap, Import, Reading, Stream, StreamError};

impl Artifact {
    /// The report's entry for the artifact at `path`, which is text from
    /// [`escape::path`](crate::escape::path).
    #[must_use]
    pub fn new(
        path: String,
        size: u64,
        sha256: Option<String>,
        judgement: ArtifactJudgement,
    ) -> Self {
        let ArtifactJudgement {
            format,
            risk,
            integrity,
            streams,
            findings,
            gaps,
        } = judgement;
        Self {
            path,
            size,
            sha256,
            format: format.into(),
            risk: risk.into(),
            integrity: integrity.into(),
            streams: convert(streams),
            findings: convert(findings),
            gaps: convert(gaps),
        }
    }
}

fn convert<T, U: From<T>>(all: Vec<T>) -> Vec<U> {
    all.into_iter().map(U::from).collect()
}

impl From<judgement::StreamJudgement> for Stream {
    fn from(stream: judgement::StreamJudgement) -> Self {
        let judgement::StreamJudgement {
            location,
            offset,
            length,
            protocol,
            loader,
            instructions,
            risk,
            integrity,
            error,
            imports,
            effects,
            effects_total,
            readings,
        } = stream;
        Self {
            location,
            offset,
            length,
            protocol,
            loader: loader.into(),
            instructions,
            risk: risk.into(),
            integrity: integrity.into(),
            error: error.map(StreamError::from),
            imports: convert(imports),
            effects: convert(effects),
            effects_total,
            readings: convert(readings),
        }
    }
}

impl From<judgement::ReadingRecord> for Reading {
    fn from(reading: judgement::ReadingRecord) -> Self {
        let judgement::ReadingRecord {
            readers,
            end,
            risk,
            effects,
            effects_total,
        } = reading;
        Self {
            readers,
            end,
            risk: risk.into(),
            effects: convert(effects),
            effects_total,
        }
    }
}

impl From<judgement::StreamError> for StreamError {
    fn from(error: judgement::StreamError) -> Self {
        let judgement::StreamError {
            kind,
            python_exception,
            offset,
            message,
        } = error;
        Self {
            kind: kind.into(),
            python_exception: python_exception.into(),
            offset,
            message,
        }
    }
}

impl From<judgement::ImportRecord> for Import {
    fn from(import: judgement::ImportRecord) -> Self {
        let judgement::ImportRecord {
            module,
            name,
            offset,
            trust,
            capabilities,
        } = import;
        Self {
            module,
            name,
            offset,
            trust: trust.into(),
            capabilities: convert(capabilities),
        }
    }
}

impl From<judgement::EffectRecord> for Effect {
    fn from(effect: judgement::EffectRecord) -> Self {
        let judgement::EffectRecord {
            kind,
            offset,
            opcode,
            text,
            risk,
        } = effect;
        Self {
            kind: kind.into(),
            offset,
            opcode: opcode.into(),
            text,
            risk: risk.into(),
        }
    }
}

impl From<judgement::Finding> for Finding {
    fn from(finding: judgement::Finding) -> Self {
        let judgement::Finding {
            rule,
            title,
            severity,
            confidence,
            message,
            location,
            offset,
            length,
            evidence,
            witness,
            references,
        } = finding;
        Self {
            rule: rule.into(),
            title: title.into(),
            severity: severity.into(),
            confidence: confidence.into(),
            message,
            location,
            offset,
            length,
            evidence: convert(evidence),
            witness,
            references: references
                .iter()
                .map(|&reference| reference.into())
                .collect(),
        }
    }
}

impl From<judgement::Evidence> for Evidence {
    fn from(evidence: judgement::Evidence) -> Self {
        let judgement::Evidence {
            offset,
            opcode,
            note,
        } = evidence;
        Self {
            offset,
            opcode: opcode.into(),
            note,
        }
    }
}

impl From<judgement::Gap> for Gap {
    fn from(gap: judgement::Gap) -> Self {
        let judgement::Gap {
            location,
            offset,
            reason,
        } = gap;
        Self {
            location,
            offset,
            reason,
        }
    }
}

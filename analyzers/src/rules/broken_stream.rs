//! A stream that a loader rejects: what ran before the break has run.

use pickleproof_core::Opcode;

use super::Rule;
use crate::findings::{Draft, Findings};
use crate::judgement::{Evidence, Integrity, Severity};
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    let Subject::Stream(stream) = subject else {
        return;
    };
    if stream.reading.is_some() {
        return;
    }
    let Some(error) = stream.error else { return };
    let ran = stream
        .trace
        .effects
        .iter()
        .filter(|effect| effect.offset < error.offset)
        .count();
    let elsewhere = stream.outcomes.iter().map(|other| other.extra).max();
    let after = stream
        .trace
        .effects
        .len()
        .saturating_sub(ran)
        .saturating_add(elsewhere.unwrap_or(0));
    let before = match ran {
        0 => "nothing has run before".to_owned(),
        1 => "1 effect has happened before".to_owned(),
        _ => format!("{ran} effects have happened before"),
    };
    // A stream that was cut off is an accident more often than not.
    let severity = if stream.integrity == Integrity::Truncated {
        Severity::Low
    } else {
        rule.severity
    };
    let later = match after {
        0 => String::new(),
        _ => format!(", {after} more where pickle.py or an older release goes on"),
    };
    let message = format!(
        "a loader raises {}: {}; {before}{later}",
        error.exception.name(),
        error.kind
    );
    let mut evidence: Vec<Evidence> = stream
        .trace
        .effects
        .last()
        .map(|effect| stream.evidence(effect))
        .into_iter()
        .collect();
    let byte = stream.trace.graph.bytes().get(error.offset);
    evidence.push(Evidence {
        offset: error.offset as u64,
        opcode: byte
            .and_then(|byte| Opcode::from_byte(*byte))
            .map_or("-", Opcode::name),
        note: error.to_string(),
    });
    let draft = Draft::at(rule, error.offset as u64, 1, message)
        .with_severity(severity)
        .with_evidence(evidence);
    findings.add(rule, stream.location, draft);
}

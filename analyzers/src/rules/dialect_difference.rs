//! Loaders, releases or scanners that make different things of one stream.

use super::Rule;
use crate::findings::{Draft, Findings};
use crate::judgement::{Evidence, Integrity, Severity};
use crate::subject::{Outcome, ReaderKind, StreamSubject, Subject};

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    let Subject::Stream(stream) = subject else {
        return;
    };
    if stream.reading.is_some() {
        return;
    }
    let Some((reported, others)) = stream.outcomes.split_first() else {
        return;
    };
    let loaders: Vec<&Outcome> = others
        .iter()
        .filter(|other| other.kind == ReaderKind::Loader)
        .collect();
    let Some((severity, what)) = verdict(stream, reported, &loaders, others) else {
        return;
    };
    let mut message = format!("{what}: {}", told(reported));
    for other in others {
        message.push_str("; ");
        message.push_str(&told(other));
    }
    let divergence = &stream.trace.divergence;
    let offset = divergence.first().or(divergence.pickletools);
    let offset = offset.unwrap_or_else(|| {
        let ends = others.iter().map(|other| other.offset);
        ends.chain([reported.offset]).min().unwrap_or(0)
    });
    let draft = Draft::at(rule, offset as u64, 1, message)
        .with_severity(severity)
        .with_evidence(evidence(others));
    findings.add(rule, stream.location, draft);
}

/// How bad it is, and in what they differ.
fn verdict(
    stream: &StreamSubject<'_>,
    reported: &Outcome,
    loaders: &[&Outcome],
    others: &[Outcome],
) -> Option<(Severity, &'static str)> {
    let acts = |other: &&Outcome| other.extra > 0 || (other.missing && other.accepts);
    if loaders.iter().any(acts) {
        let cut = stream.integrity == Integrity::Truncated;
        // A stream that was cut off is an accident more often than not: `pickle.py` begins a frame
        // that C refuses as a whole.
        return if cut && loaders.iter().all(|other| !other.accepts) {
            Some((
                Severity::Low,
                "the stream is cut off, and loaders get to different ends",
            ))
        } else {
            Some((
                Severity::High,
                "loaders do different things with this stream",
            ))
        };
    }
    if loaders
        .iter()
        .any(|other| other.accepts != reported.accepts)
    {
        return Some((
            Severity::Medium,
            "some loaders reject this stream and others do not",
        ));
    }
    others
        .iter()
        .any(|other| other.kind == ReaderKind::Scanner)
        .then_some((
            Severity::Low,
            "scanners that stand on pickletools do not see this stream as loaders do",
        ))
}

/// Who reads the stream so, how it ends for them, and what not everyone does.
fn told(outcome: &Outcome) -> String {
    let mut text = format!("{}: {}", outcome.readers, outcome.end);
    if outcome.kind != ReaderKind::Scanner && !outcome.shown.is_empty() {
        let shown: Vec<&str> = outcome
            .shown
            .iter()
            .map(|step| step.note.as_str())
            .collect();
        text.push_str(", among them ");
        text.push_str(&shown.join(" and "));
    }
    text
}

fn evidence(others: &[Outcome]) -> Vec<Evidence> {
    let mut evidence: Vec<Evidence> = others
        .iter()
        .flat_map(|other| other.shown.clone())
        .collect();
    evidence.sort_by_key(|step| step.offset);
    evidence
}

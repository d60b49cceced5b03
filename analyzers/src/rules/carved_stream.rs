//! A stream behind other bytes.

use super::Rule;
use crate::findings::{Draft, Findings};
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    let Subject::Stream(stream) = subject else {
        return;
    };
    if stream.reading.is_some() {
        return;
    }
    if !stream.carved {
        return;
    }
    let start = stream.trace.start as u64;
    let length = stream.trace.consumed.saturating_sub(stream.trace.start) as u64;
    let message =
        "a stream begins where no loader begins to read: a program that seeks would run it"
            .to_owned();
    findings.add(
        rule,
        stream.location,
        Draft::at(rule, start, length, message),
    );
}

//! Frames that do not end where an instruction ends.

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
    if let Some(end) = stream.trace.frame_end {
        let behind = stream.trace.consumed;
        let message = format!(
            "a frame goes on behind STOP: the next load of the file begins at offset {behind} for an \
             open file, and at offset {end} for a BytesIO and for pickle.py"
        );
        let length = end.saturating_sub(behind) as u64;
        let draft = Draft::at(rule, behind as u64, length, message);
        findings.add(rule, stream.location, draft);
    }
    let Some(offset) = stream.trace.divergence.frame else {
        return;
    };
    let message = "an instruction crosses the end of its frame, or a frame begins inside another: \
                   pickle.loads, pickle.load and scanners read different programs from here on";
    let draft = Draft::at(rule, offset as u64, 1, message.to_owned());
    findings.add(rule, stream.location, draft);
}

//! Frames that do not end where an instruction ends.

use super::Rule;
use crate::findings::{Draft, Findings};
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    let Subject::Stream(stream) = subject else {
        return;
    };
    let Some(offset) = stream.trace.frame_overrun else {
        return;
    };
    let message = "an instruction crosses the end of its frame, or a frame begins inside another: \
                   pickle.loads, pickle.load and scanners read different programs from here on";
    let draft = Draft::at(rule, offset as u64, 1, message.to_owned());
    findings.add(rule, stream.location, draft);
}

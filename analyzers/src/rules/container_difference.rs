//! The views of a container disagree.

use pickleproof_containers::DifferenceKind;

use super::Rule;
use crate::findings::{Draft, Findings};
use crate::judgement::Severity;
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    let Subject::Difference {
        location,
        offset,
        difference,
    } = subject
    else {
        return;
    };
    let severity = match difference.kind {
        DifferenceKind::Prepended | DifferenceKind::Trailing => Severity::Low,
        DifferenceKind::Count | DifferenceKind::Flags | DifferenceKind::Polyglot => {
            Severity::Medium
        }
        _ => rule.severity,
    };
    let draft = Draft::at(rule, *offset, 1, difference.text.clone()).with_severity(severity);
    findings.add(rule, location, draft);
}

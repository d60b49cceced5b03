//! Bytes behind the last STOP.

use super::Rule;
use crate::findings::{Draft, Findings};
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    let Subject::Trailing {
        location,
        offset,
        length,
    } = subject
    else {
        return;
    };
    let message = format!("{length} bytes follow the last stream and belong to none");
    findings.add(
        rule,
        location,
        Draft::at(rule, *offset as u64, *length as u64, message),
    );
}

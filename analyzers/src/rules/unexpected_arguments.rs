//! A safe callable is called with arguments that its entry does not allow.

use super::{Rule, report_globals};
use crate::assess::Reason;
use crate::findings::Findings;
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    report_globals(
        subject,
        rule,
        findings,
        |_, reason| match reason {
            Reason::GuardFailed(named) => Some(named),
            _ => None,
        },
        |named, text, _| {
            format!(
                "calls {} with arguments that are not known to be safe for it: {text}",
                named.shown()
            )
        },
    );
}

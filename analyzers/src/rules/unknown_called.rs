//! Default deny: a callable on no list is called.

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
            Reason::UnknownCalled(named) => Some(named),
            _ => None,
        },
        |named, text, _| format!("calls {}, of which nothing is known: {text}", named.shown()),
    );
}

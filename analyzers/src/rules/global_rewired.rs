//! BUILD or an item assignment acts on a class, a function or a module.

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
            Reason::GlobalRewired(named) => Some(named),
            _ => None,
        },
        |named, text, _| format!("changes {} itself: {text}", named.shown()),
    );
}

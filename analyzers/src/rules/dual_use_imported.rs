//! A dual-use callable is imported or looked up, but not called.

use super::{Rule, report_globals};
use crate::assess::Reason;
use crate::findings::Findings;
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    report_globals(
        subject,
        rule,
        findings,
        |stream, reason| match reason {
            Reason::DualNamed(named) if !stream.is_called(named) => Some(named),
            _ => None,
        },
        |named, _, _| {
            format!(
                "imports {}, which is harmless only with the right arguments",
                named.shown()
            )
        },
    );
}

//! A call whose callable can not be named.

use super::{Remark, Rule, report_effects};
use crate::assess::Reason;
use crate::findings::Findings;
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    report_effects(
        subject,
        rule,
        findings,
        |_, _, reason| matches!(reason, Reason::UnresolvedCalled).then(|| "unresolved".to_owned()),
        |stream, effect, _| Remark {
            message: format!(
                "calls something that can't be named: {}",
                stream.renderer.effect(effect)
            ),
            witness: Vec::new(),
        },
    );
}

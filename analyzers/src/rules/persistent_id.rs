//! A persistent id that no known loader resolves.

use super::{Remark, Rule, report_effects};
use crate::assess::Reason;
use crate::findings::Findings;
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    report_effects(
        subject,
        rule,
        findings,
        |_, _, reason| matches!(reason, Reason::PersistentId).then(|| "id".to_owned()),
        |stream, effect, _| Remark {
            message: format!(
                "asks the loader for an object: {}",
                stream.renderer.effect(effect)
            ),
            witness: Vec::new(),
        },
    );
}

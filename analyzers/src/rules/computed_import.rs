//! STACK_GLOBAL on names that calls gave.

use super::{Remark, Rule, report_effects};
use crate::assess::Reason;
use crate::findings::Findings;
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    report_effects(
        subject,
        rule,
        findings,
        |stream, effect, reason| {
            matches!(reason, Reason::ImportComputed(_)).then(|| stream.renderer.effect(effect))
        },
        |stream, effect, reason| match reason {
            Reason::ImportComputed(Some(named)) => Remark::on(
                named,
                format!("imports {} under names that are computed", named.shown()),
            ),
            _ => Remark {
                message: format!(
                    "imports something under names that are computed and not known: {}",
                    stream.renderer.effect(effect)
                ),
                witness: Vec::new(),
            },
        },
    );
}

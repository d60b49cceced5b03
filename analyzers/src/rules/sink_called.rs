//! A sink is called.

use super::{Remark, Rule, report_effects};
use crate::assess::Reason;
use crate::findings::Findings;
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    report_effects(
        subject,
        rule,
        findings,
        // Each call counts: another command is another finding.
        |stream, effect, reason| {
            matches!(reason, Reason::SinkCalled(_)).then(|| stream.renderer.effect(effect))
        },
        |stream, effect, reason| {
            let text = stream.renderer.effect(effect);
            match reason {
                Reason::SinkCalled(named) => {
                    Remark::on(named, format!("calls {}: {text}", named.shown()))
                }
                _ => Remark {
                    message: text,
                    witness: Vec::new(),
                },
            }
        },
    );
}

//! A dual-use callable is called, and what it acts on is not known to be harmless.

use pickleproof_core::EffectKind;

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
            Reason::DualCalled(named) => Some(named),
            _ => None,
        },
        |named, text, effect| {
            let what = match (named.innards, effect.kind) {
                (Some(innard), _) => format!("reaches into the interpreter through {innard}"),
                (None, EffectKind::Call { .. }) => format!("calls {}", named.shown()),
                (None, _) => format!("hands data to {}", named.shown()),
            };
            format!("{what}: {text}")
        },
    );
}

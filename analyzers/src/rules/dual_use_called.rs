//! A dual-use callable is called, and what it acts on is not known to be harmless.

use pickleproof_core::EffectKind;

use super::Rule;
use crate::assess::Reason;
use crate::findings::{Draft, Findings};
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    let Subject::Stream(stream) = subject else {
        return;
    };
    for (effect, reason) in stream.judged() {
        let Reason::DualCalled(named) = reason else {
            continue;
        };
        let key = named.shown();
        if findings.repeat(rule, stream.location, &key) {
            continue;
        }
        let what = match (named.innards, effect.kind) {
            (Some(innard), _) => format!("reaches into the interpreter through {innard}"),
            (None, EffectKind::Call { .. }) => format!("calls {}", named.shown()),
            (None, _) => format!("hands data to {}", named.shown()),
        };
        let message = format!("{what}: {}", stream.renderer.effect(effect));
        let draft = Draft::at(rule, effect.offset as u64, stream.length(effect), message)
            .keyed(key)
            .with_evidence(stream.path_to(effect))
            .with_witness(named.witness());
        findings.add(rule, stream.location, draft);
    }
}

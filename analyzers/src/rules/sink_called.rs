//! A sink is called.

use super::Rule;
use crate::assess::Reason;
use crate::findings::{Draft, Findings};
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    let Subject::Stream(stream) = subject else {
        return;
    };
    for (effect, reason) in stream.judged() {
        let Reason::SinkCalled(named) = reason else {
            continue;
        };
        let key = stream.renderer.effect(effect);
        if findings.repeat(rule, stream.location, &key) {
            continue;
        }
        let message = format!(
            "calls {}: {}",
            named.shown(),
            stream.renderer.effect(effect)
        );
        let draft = Draft::at(rule, effect.offset as u64, stream.length(effect), message)
            .keyed(key)
            .with_evidence(stream.path_to(effect))
            .with_witness(named.witness());
        findings.add(rule, stream.location, draft);
    }
}

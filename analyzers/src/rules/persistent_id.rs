//! A persistent id that no known loader resolves.

use super::Rule;
use crate::assess::Reason;
use crate::findings::{Draft, Findings};
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    let Subject::Stream(stream) = subject else {
        return;
    };
    for (effect, reason) in stream.judged() {
        let Reason::PersistentId = reason else {
            continue;
        };
        let key = "id".to_owned();
        if findings.repeat(rule, stream.location, &key) {
            continue;
        }
        let message = format!(
            "asks the loader for an object: {}",
            stream.renderer.effect(effect)
        );
        let draft = Draft::at(rule, effect.offset as u64, stream.length(effect), message)
            .keyed(key)
            .with_evidence(stream.path_to(effect));
        findings.add(rule, stream.location, draft);
    }
}

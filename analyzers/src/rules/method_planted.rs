//! A state sets an attribute that Python calls by itself.

use super::Rule;
use crate::assess::Reason;
use crate::findings::{Draft, Findings};
use crate::judgement::{Risk, Severity};
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    let Subject::Stream(stream) = subject else {
        return;
    };
    for (effect, reason) in stream.judged() {
        let Reason::MethodPlanted(method, named) = reason else {
            continue;
        };
        let what = named
            .as_ref()
            .map_or_else(|| "something unknown".to_owned(), |named| named.shown());
        let message = format!(
            "plants {what} as {method}: {}",
            stream.renderer.effect(effect)
        );
        let severity = if reason.risk() == Risk::Malicious {
            Severity::Critical
        } else {
            rule.severity
        };
        let draft = Draft::at(rule, effect.offset as u64, stream.length(effect), message)
            .keyed(format!("{method} {what}"))
            .with_severity(severity)
            .with_evidence(stream.path_to(effect))
            .with_witness(
                named
                    .as_ref()
                    .map(|named| named.witness())
                    .unwrap_or_default(),
            );
        findings.add(rule, stream.location, draft);
    }
}

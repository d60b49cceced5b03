//! A stream in a stream.

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
        let Reason::PayloadLoaded(_, risk) = reason else {
            continue;
        };
        let severity = match risk {
            Risk::Malicious => Severity::Critical,
            Risk::Suspicious => Severity::High,
            Risk::Review | Risk::Trusted | Risk::Inert => rule.severity,
        };
        let message = format!(
            "loads bytes of the stream, which are {}: {}",
            risk.name(),
            stream.renderer.effect(effect)
        );
        let draft = Draft::at(rule, effect.offset as u64, stream.length(effect), message)
            .with_severity(severity)
            .with_evidence(stream.path_to(effect));
        findings.add(rule, stream.location, draft);
    }
}

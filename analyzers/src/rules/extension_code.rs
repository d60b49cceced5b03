//! An EXT opcode: the loader's registry decides what it is, and once it is cached `find_class` is not asked.

use super::Rule;
use crate::assess::Reason;
use crate::findings::{Draft, Findings};
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    let Subject::Stream(stream) = subject else {
        return;
    };
    for (effect, reason) in stream.judged() {
        let Reason::Extension(code) = reason else {
            continue;
        };
        let key = code.to_string();
        if findings.repeat(rule, stream.location, &key) {
            continue;
        }
        let message = format!("imports whatever copyreg holds under the extension code {code}");
        let draft = Draft::at(rule, effect.offset as u64, stream.length(effect), message)
            .keyed(key)
            .with_evidence(stream.path_to(effect));
        findings.add(rule, stream.location, draft);
    }
}

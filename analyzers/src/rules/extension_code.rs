//! An EXT opcode: the loader's registry decides what it is, and once it is cached `find_class` is not asked.

use super::{Remark, Rule, report_effects};
use crate::assess::Reason;
use crate::findings::Findings;
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    report_effects(
        subject,
        rule,
        findings,
        |_, _, reason| match reason {
            Reason::Extension(code) => Some(code.to_string()),
            _ => None,
        },
        |stream, effect, _| Remark {
            message: format!(
                "imports whatever copyreg holds under a code: {}",
                stream.renderer.effect(effect)
            ),
            witness: Vec::new(),
        },
    );
}

//! BUILD, APPEND, SETITEM or ADDITEMS on an object of an untrusted class.

use super::{Remark, Rule, report_effects};
use crate::assess::Reason;
use crate::findings::Findings;
use crate::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    report_effects(
        subject,
        rule,
        findings,
        |_, _, reason| matches!(reason, Reason::UntrustedState).then(|| "state".to_owned()),
        |stream, effect, _| Remark {
            message: format!(
                "sets the state of an object that is not known to be safe for it: {}",
                stream.renderer.effect(effect)
            ),
            witness: Vec::new(),
        },
    );
}

//! The rule table: one row, one file and one page for each rule.
//!
//! A rule looks at one subject at a time, a stream that was run or what a container is like, and adds
//! what it finds. Its page is what `pickleproof rules ID` prints.

use pickleproof_core::Effect;

use crate::assess::Reason;
use crate::findings::{Draft, Findings};
use crate::judgement::Severity;
use crate::names::Named;
use crate::subject::{StreamSubject, Subject};

mod broken_stream;
mod carved_stream;
mod computed_import;
mod container_difference;
mod dialect_difference;
mod dual_use_called;
mod dual_use_imported;
mod extension_code;
mod frame_overrun;
mod global_rewired;
mod method_planted;
mod payload_loaded;
mod persistent_id;
mod resource_cost;
mod sink_called;
mod sink_imported;
mod trailing_data;
mod unexpected_arguments;
mod unknown_called;
mod unknown_imported;
mod unresolved_call;
mod untrusted_state;

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable identifier, `sink-called`.
    pub id: &'static str,
    /// A short title.
    pub title: &'static str,
    /// The severity its findings have unless a finding says otherwise.
    pub severity: Severity,
    /// The rule's page in markdown: what, why it is bad, example, what to do.
    pub page: &'static str,
    /// Where to read on.
    pub references: &'static [&'static str],
}

type Check = fn(&Subject<'_>, &Rule, &mut Findings);

macro_rules! rules {
    ($($module:ident $id:literal $severity:ident $title:literal [$($reference:literal)*];)*) => {
        /// Every rule, in the order of the documentation.
        pub static RULES: &[Rule] = &[$(Rule {
            id: $id,
            title: $title,
            severity: Severity::$severity,
            page: include_str!(concat!("rules/", $id, ".md")),
            references: &[$($reference),*],
        }),*];

        static CHECKS: &[Check] = &[$($module::check),*];
    };
}

rules! {
    sink_called "sink-called" Critical "A dangerous callable is called"
        ["CWE-502" "https://docs.python.org/3/library/pickle.html"];
    sink_imported "sink-imported" High "A dangerous callable is imported"
        ["CWE-502"];
    dual_use_called "dual-use-called" High "A callable that is dangerous with the right arguments is called"
        ["CWE-502" "CWE-470"];
    dual_use_imported "dual-use-imported" Medium "A callable that is dangerous with the right arguments is imported"
        ["CWE-502"];
    unknown_called "unknown-called" Medium "A callable that is on no list is called"
        ["CWE-502"];
    unknown_imported "unknown-imported" Medium "A global that is on no list is imported"
        ["CWE-502"];
    unexpected_arguments "unexpected-arguments" Medium "A safe callable is given something else than it is safe with"
        ["CWE-502"];
    unresolved_call "unresolved-call" Medium "Something is called of which it is not known what it is"
        ["CWE-502" "CWE-470"];
    global_rewired "global-rewired" High "A class, function or module is changed for the whole process"
        ["CWE-502" "CWE-915"];
    method_planted "method-planted" High "A state plants a method on an object"
        ["CWE-502" "CWE-915"];
    untrusted_state "untrusted-state" Medium "The state of an object that is not known is set"
        ["CWE-502"];
    persistent_id "persistent-id" Medium "The loader is asked for an object by an id"
        ["https://docs.python.org/3/library/pickle.html#persistence-of-external-objects"];
    payload_loaded "payload-loaded" Medium "Bytes in the stream are loaded as a stream of their own"
        ["CWE-502"];
    computed_import "computed-import" High "A global is imported under names that the stream computes"
        ["CWE-502" "CWE-470"];
    extension_code "extension-code" High "A global is imported by a number instead of a name"
        ["https://peps.python.org/pep-0307/"];
    broken_stream "broken-stream" Medium "A loader rejects the stream after a part of it has run"
        ["CWE-502" "https://www.reversinglabs.com/blog/rl-identifies-malware-ml-model-hosted-on-hugging-face"];
    frame_overrun "frame-overrun" High "A frame ends inside an instruction"
        ["https://github.com/python/cpython/issues/154848" "https://peps.python.org/pep-3154/"];
    dialect_difference "dialect-difference" High "Loaders read different programs from the stream"
        ["CWE-436" "https://github.com/python/cpython/issues/154848"];
    resource_cost "resource-cost" High "Loading costs far more than the file is worth"
        ["CWE-400" "CWE-770"];
    trailing_data "trailing-data" Low "Bytes follow the last stream"
        ["CWE-506"];
    carved_stream "carved-stream" Low "A stream stands where no loader begins to read"
        ["CWE-506"];
    container_difference "container-difference" High "Two readers of the container see two different things"
        ["CWE-436" "CVE-2025-1944" "CVE-2025-1945"];
}

/// The rule of this identifier.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// Lets every rule look at a subject.
pub(crate) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (rule, check) in RULES.iter().zip(CHECKS) {
        check(subject, rule, findings);
    }
}

/// What a rule has to say of an effect.
struct Remark {
    message: String,
    witness: Vec<String>,
}

impl Remark {
    /// A remark about a global, with the path from it to the harm.
    fn on(named: &Named, message: String) -> Self {
        Self {
            message,
            witness: named.witness(),
        }
    }
}

/// Reports the effects of a stream for which there is a key, once for each key.
///
/// The remark is made only for findings that are kept.
fn report_effects<'s>(
    subject: &'s Subject<'_>,
    rule: &Rule,
    findings: &mut Findings,
    key: impl Fn(&StreamSubject<'_>, &Effect, &'s Reason) -> Option<String>,
    remark: impl Fn(&StreamSubject<'_>, &Effect, &'s Reason) -> Remark,
) {
    let Subject::Stream(stream) = subject else {
        return;
    };
    for (effect, reason) in stream.judged() {
        let Some(key) = key(stream, effect, reason) else {
            continue;
        };
        if findings.repeat(rule, stream.location, &key) {
            continue;
        }
        let Remark {
            mut message,
            witness,
        } = remark(stream, effect, reason);
        if let Some(readers) = stream.reading {
            message.push_str(" [as read by ");
            message.push_str(readers);
            message.push(']');
        }
        let draft = Draft::at(rule, effect.offset as u64, stream.length(effect), message)
            .keyed(key)
            .with_evidence(stream.path_to(effect))
            .with_witness(witness);
        findings.add(rule, stream.location, draft);
    }
}

/// Reports the effects that are judged so because of a global, once for each global.
fn report_globals<'s>(
    subject: &'s Subject<'_>,
    rule: &Rule,
    findings: &mut Findings,
    named: impl Fn(&StreamSubject<'_>, &'s Reason) -> Option<&'s Named>,
    message: impl Fn(&Named, &str, &Effect) -> String,
) {
    report_effects(
        subject,
        rule,
        findings,
        |stream, _, reason| named(stream, reason).map(Named::shown),
        |stream, effect, reason| match named(stream, reason) {
            Some(named) => Remark::on(
                named,
                message(named, &stream.renderer.effect(effect), effect),
            ),
            None => Remark {
                message: String::new(),
                witness: Vec::new(),
            },
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_whole_page_and_a_unique_id() {
        let mut ids = std::collections::HashSet::new();
        for rule in RULES {
            assert!(ids.insert(rule.id), "{}", rule.id);
            assert!(
                rule.page.starts_with(&format!("# {}\n", rule.id)),
                "{}",
                rule.id
            );
            for heading in ["## What", "## Why it is bad", "## Example", "## What to do"] {
                assert!(rule.page.contains(heading), "{}: {heading}", rule.id);
            }
            assert!(!rule.references.is_empty(), "{}", rule.id);
            assert!(super::rule(rule.id).is_some());
        }
    }
}

//! The rule table: one row, one file and one page for each rule.
//!
//! A rule looks at one subject at a time, a stream that was run or what a container is like, and adds
//! what it finds. Its page is what `pickleproof rules ID` prints.

use crate::findings::Findings;
use crate::judgement::Severity;
use crate::subject::Subject;

mod broken_stream;
mod carved_stream;
mod container_difference;
mod dual_use_called;
mod dual_use_imported;
mod extension_code;
mod frame_overrun;
mod global_rewired;
mod method_planted;
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
    extension_code "extension-code" High "A global is imported by a number instead of a name"
        ["https://peps.python.org/pep-0307/"];
    broken_stream "broken-stream" Medium "A loader rejects the stream after a part of it has run"
        ["CWE-502" "https://www.reversinglabs.com/blog/rl-identifies-malware-ml-model-hosted-on-hugging-face"];
    frame_overrun "frame-overrun" High "A frame ends inside an instruction"
        ["https://github.com/python/cpython/issues/154848" "https://peps.python.org/pep-3154/"];
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

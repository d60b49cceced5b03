//! The rule table: one row, one file and one page for each rule.

use crate::judgement::Severity;

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

/// Every rule, in the order of the documentation.
pub static RULES: &[Rule] = &[];

/// The rule of this identifier.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

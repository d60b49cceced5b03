//! Collects what rules find: repeated findings are counted, not repeated.

use std::collections::HashMap;

use crate::judgement::{Confidence, Evidence, Finding, Risk, Severity};
use crate::rules::Rule;

/// Evidence kept for a finding that is repeated.
const MAX_EVIDENCE: usize = 12;

/// What a rule has to say about a place.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Findings of one rule and location with the same key are one finding.
    pub(crate) key: String,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) message: String,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) witness: Vec<String>,
}

impl Draft {
    /// A finding about one place, sure of itself.
    pub(crate) fn at(rule: &Rule, offset: u64, length: u64, message: String) -> Self {
        Self {
            key: message.clone(),
            severity: rule.severity,
            confidence: Confidence::High,
            message,
            offset,
            length,
            evidence: Vec::new(),
            witness: Vec::new(),
        }
    }

    pub(crate) fn keyed(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    pub(crate) fn with_evidence(mut self, evidence: Vec<Evidence>) -> Self {
        self.evidence = evidence;
        self
    }

    pub(crate) fn with_witness(mut self, witness: Vec<String>) -> Self {
        self.witness = witness;
        self
    }

    pub(crate) fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

/// The findings of an artifact.
#[derive(Debug)]
pub(crate) struct Findings {
    listed: usize,
    list: Vec<(Finding, u64)>,
    known: HashMap<(&'static str, String, String), usize>,
    unlisted: u64,
    /// The worst risk of what was added since it was last taken.
    risk: Risk,
}

impl Findings {
    pub(crate) fn new(listed: usize) -> Self {
        Self {
            listed,
            list: Vec::new(),
            known: HashMap::new(),
            unlisted: 0,
            risk: Risk::Inert,
        }
    }

    /// Counts a finding that is known with all the evidence it may have; whether it did.
    ///
    /// A stream can repeat itself a million times: what is not kept is not made.
    pub(crate) fn repeat(&mut self, rule: &Rule, location: &str, key: &str) -> bool {
        let full = self.list.len() >= self.listed;
        let key = (rule.id, location.to_owned(), key.to_owned());
        let known = self
            .known
            .get(&key)
            .and_then(|index| self.list.get_mut(*index));
        match known {
            Some((finding, count)) if finding.evidence.len() >= MAX_EVIDENCE => {
                *count = count.saturating_add(1);
                true
            }
            None if full => {
                self.unlisted = self.unlisted.saturating_add(1);
                self.risk = self.risk.max(risk_of(rule.severity));
                true
            }
            _ => false,
        }
    }

    pub(crate) fn add(&mut self, rule: &Rule, location: &str, draft: Draft) {
        self.risk = self.risk.max(risk_of(draft.severity));
        let key = (rule.id, location.to_owned(), draft.key);
        if let Some((finding, count)) = self
            .known
            .get(&key)
            .and_then(|index| self.list.get_mut(*index))
        {
            *count = count.saturating_add(1);
            let room = MAX_EVIDENCE.saturating_sub(finding.evidence.len());
            finding
                .evidence
                .extend(draft.evidence.into_iter().take(room));
            return;
        }
        if self.list.len() >= self.listed {
            self.unlisted = self.unlisted.saturating_add(1);
            return;
        }
        self.known.insert(key, self.list.len());
        let finding = Finding {
            rule: rule.id,
            title: rule.title,
            severity: draft.severity,
            confidence: draft.confidence,
            message: draft.message,
            location: location.to_owned(),
            offset: draft.offset,
            length: draft.length,
            evidence: draft.evidence,
            witness: draft.witness,
            references: rule.references,
        };
        self.list.push((finding, 1));
    }

    /// The worst risk of what was added since the last call.
    pub(crate) fn take_risk(&mut self) -> Risk {
        core::mem::take(&mut self.risk)
    }

    /// Number of findings that there was no room for.
    pub(crate) const fn unlisted(&self) -> u64 {
        self.unlisted
    }

    /// The findings, worst first, then by place.
    pub(crate) fn finish(self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .list
            .into_iter()
            .map(|(mut finding, count)| {
                if count > 1 {
                    finding.message = format!("{} ({count} times)", finding.message);
                }
                finding
            })
            .collect();
        findings.sort_by(|left, right| {
            right
                .severity
                .cmp(&left.severity)
                .then_with(|| left.location.cmp(&right.location))
                .then_with(|| left.offset.cmp(&right.offset))
        });
        findings
    }
}

/// The risk that a finding of this severity means.
pub(crate) const fn risk_of(severity: Severity) -> Risk {
    match severity {
        Severity::Info | Severity::Low => Risk::Inert,
        Severity::Medium => Risk::Review,
        Severity::High => Risk::Suspicious,
        Severity::Critical => Risk::Malicious,
    }
}

//! The machine and the readings of pickletools against recorded results of CPython, in every
//! release that was recorded: accept or reject, exception class, where it ends, and the structure
//! of the result with sharing, cycles and the log of effects.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test that panics has failed, and one that says what it compared can be trusted"
)]

mod expected;
mod found;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expected::{Vector, vectors};
use pickleproof_core::Version;
use serde_json::Value as Json;

/// The implementations whose results are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Implementation {
    /// `_pickle` from memory, as `loads`.
    C,
    /// `pickle._Unpickler`.
    Python,
    /// `_pickle` from a file without `peek`.
    CStream,
    /// `_pickle` from a file with `peek` and a buffer of 8 KiB.
    CBuffered,
    /// `pickletools.genops`.
    Genops,
    /// `pickletools.dis`.
    Dis,
}

impl Implementation {
    const fn reads_a_file(self) -> bool {
        matches!(self, Self::CStream | Self::CBuffered)
    }

    const fn key(self) -> &'static str {
        match self {
            Self::C => "c_result",
            Self::Python => "py_result",
            Self::CStream => "cf_result",
            Self::CBuffered => "cb_result",
            Self::Genops => "genops_result",
            Self::Dis => "dis_result",
        }
    }
}

/// The releases whose results were recorded; where a vector names none of them, the result is that
/// of the first.
const VERSIONS: [(u8, u8); 9] = [
    (11, 7),
    (8, 18),
    (9, 18),
    (10, 13),
    (12, 1),
    (13, 0),
    (13, 18),
    (14, 10),
    (15, 2),
];

#[derive(Default)]
struct Tally {
    compared: usize,
    /// Results that only compare as accepted or rejected, because memory and recursion limits of
    /// the host decide the rest.
    accepted_or_not: usize,
    different: usize,
    by_version: BTreeMap<String, usize>,
    shown: String,
}

impl Tally {
    fn compare(&mut self, vector: &Vector, implementation: Implementation, version: Version) {
        let name = format!("3.{}.{}", version.minor, version.patch);
        if !vector.was_asked(&name) {
            return;
        }
        let mut expected = vector.expected(implementation, &name);
        let mut found = found::result(vector, implementation, version);
        if expected["ops"].is_null()
            && let Some(found) = found.as_object_mut()
        {
            // Not recorded for releases that differ from the first.
            found.remove("ops");
        }
        if vector.depends_on_host {
            self.accepted_or_not += 1;
            // A host with more memory or a deeper stack would go on.
            let limited = matches!(
                expected["err"].as_str(),
                Some("MemoryError" | "RecursionError")
            );
            expected = expected["ok"].clone();
            found = found["ok"].clone();
            if limited {
                expected = found.clone();
            }
        } else {
            self.compared += 1;
        }
        *self.by_version.entry(name.clone()).or_default() += 1;
        if found != expected {
            self.different += 1;
            if self.different <= 40 {
                let bytes = &vector.bytes[..vector.bytes.len().min(80)];
                let _ = writeln!(
                    self.shown,
                    "\n{} {name} {:?} {}\n  expected {}\n  found    {}",
                    vector.id,
                    String::from_utf8_lossy(bytes),
                    vector.options,
                    shown(&expected),
                    shown(&found),
                );
            }
        }
    }
}

fn shown(result: &Json) -> String {
    let mut text = result.to_string();
    if text.len() > 600 {
        text = text.chars().take(600).collect::<String>() + " ...";
    }
    text
}

fn check(implementation: Implementation) {
    let mut tally = Tally::default();
    for vector in vectors() {
        for (minor, patch) in VERSIONS {
            tally.compare(vector, implementation, Version { minor, patch });
        }
    }
    println!(
        "{implementation:?}: {} results compared, {} more as accepted or rejected only, {} differ; by release: {:?}",
        tally.compared, tally.accepted_or_not, tally.different, tally.by_version
    );
    assert_eq!(tally.different, 0, "{}", tally.shown);
}

#[test]
fn the_c_dialect_agrees_with_cpython() {
    check(Implementation::C);
}

#[test]
fn the_c_dialect_agrees_where_it_reads_a_file() {
    check(Implementation::CStream);
}

#[test]
fn the_c_dialect_agrees_where_it_reads_a_buffered_file() {
    check(Implementation::CBuffered);
}

#[test]
fn the_python_dialect_agrees_with_cpython() {
    check(Implementation::Python);
}

#[test]
fn genops_agrees_with_pickletools() {
    check(Implementation::Genops);
}

#[test]
fn dis_agrees_with_pickletools() {
    check(Implementation::Dis);
}

//! A few bytes that cost a loader a lot of memory or time.

use super::Rule;
use crate::findings::{Draft, Findings};
use crate::subject::Subject;

/// The C unpickler's memo may cost this much before it is worth a word.
const MEMO_BYTES: u64 = 256 << 20;

/// A stream of this many bytes may cost one byte of memo for each of its own, times this.
const MEMO_RATIO: u64 = 64;

/// Hashing may visit this many objects, times the size of the stream.
const HASH_STEPS: u64 = 10_000_000;
const HASH_RATIO: u64 = 8;

pub(super) fn check(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings) {
    let Subject::Stream(stream) = subject else {
        return;
    };
    if stream.reading.is_some() {
        return;
    }
    let cost = stream.trace.cost;
    let size = stream.trace.consumed.saturating_sub(stream.trace.start) as u64;
    let memo = cost.memo_bytes > MEMO_BYTES && cost.memo_bytes > size.saturating_mul(MEMO_RATIO);
    let hashing = cost.hash_steps > HASH_STEPS && cost.hash_steps > size.saturating_mul(HASH_RATIO);
    let offset = cost.offset as u64;
    if memo {
        let gib = cost.memo_bytes >> 20;
        let message = format!(
            "a memo index of {size} bytes of pickle makes the C unpickler allocate about {gib} MiB"
        );
        findings.add(rule, stream.location, Draft::at(rule, offset, 1, message));
    }
    if hashing {
        let message = format!(
            "hashing the keys of {size} bytes of pickle visits about {} objects",
            cost.hash_steps
        );
        findings.add(rule, stream.location, Draft::at(rule, offset, 1, message));
    }
}

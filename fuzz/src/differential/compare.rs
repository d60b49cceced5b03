//! Two results of a stream.

use serde_json::Value as Json;

use super::{Difference, Skip, Verdict};
use crate::oracle::Implementation;

/// Compares results in compact JSON.
pub(super) fn compare(
    implementation: Implementation,
    stream: &[u8],
    ours: &[u8],
    theirs: &[u8],
) -> Verdict {
    if ours == theirs {
        // Quotes inside strings are escaped, so that this can only be the key.
        let ok = br#""ok":true"#;
        let accepted = ours.windows(ok.len()).any(|window| window == ok);
        return Verdict::Same { accepted };
    }
    // With another feature of the JSON library keys have another order.
    let parse = |text| serde_json::from_slice::<Json>(text).unwrap_or_default();
    let (ours, theirs) = (parse(ours), parse(theirs));
    if ours == theirs {
        let accepted = ours.get("ok") == Some(&Json::Bool(true));
        return Verdict::Same { accepted };
    }
    let host = match theirs.get("err").and_then(Json::as_str) {
        Some("MemoryError") => Some(Skip::Memory),
        Some("RecursionError") => Some(Skip::Recursion),
        Some("TIMEOUT") => Some(Skip::Timeout),
        Some(error) if error.starts_with("CRASH") => Some(Skip::Crash),
        _ if implementation == Implementation::Python && is_set_order(stream, &ours, &theirs) => {
            Some(Skip::SetOrder)
        }
        _ => None,
    };
    match host {
        Some(skip) => Verdict::Skipped(skip),
        None => Verdict::Different(Box::new(Difference {
            implementation,
            ours,
            theirs,
        })),
    }
}

/// Whether the first difference is a call whose arguments are the members of a set.
fn is_set_order(stream: &[u8], ours: &Json, theirs: &Json) -> bool {
    const MAKES_A_SET: [u8; 2] = [0x8f, 0x91];
    let log = |result: &Json| result.get("log").and_then(Json::as_array).cloned();
    let nodes = |result: &Json| unnumbered(result.get("heap"));
    let same_nodes = nodes(ours) == nodes(theirs);
    let (Some(ours), Some(theirs)) = (log(ours), log(theirs)) else {
        return false;
    };
    let makes_a_set = stream.iter().any(|byte| MAKES_A_SET.contains(byte));
    if ours == theirs {
        // The members of a set were arguments, and the nodes that they are have changed places.
        let several = |event: &Json| {
            let arguments = event.get(2).and_then(Json::as_array);
            arguments.is_some_and(|arguments| arguments.len() > 1)
        };
        return makes_a_set && same_nodes && ours.iter().any(several);
    }
    let first = ours
        .iter()
        .zip(&theirs)
        .find(|(ours, theirs)| ours != theirs);
    let arguments = |event: &Json| event.get(2).and_then(Json::as_array).cloned();
    let Some((ours, theirs)) = first else {
        return false;
    };
    let (Some(given), Some(taken)) = (arguments(ours), arguments(theirs)) else {
        return false;
    };
    // Members are numbered in the order in which they come.
    let known = |item: &Json| item.get("r").is_some() || given.contains(item);
    makes_a_set
        && ours.get(1) == theirs.get(1)
        && taken.len() > 1
        && taken.len() == given.len()
        && taken.iter().all(known)
}

/// Whether there may be a size or an index in the stream that 32 bits with a sign do not hold.
pub(super) fn has_wide_sizes(stream: &[u8]) -> bool {
    const DIGITS: usize = 10;
    let wide = |tail: &[u8]| {
        let Some((opcode, operand)) = tail.split_first() else {
            return false;
        };
        let width = match opcode {
            b'B' | b'X' | b'T' | b'r' | b'j' => 4,
            0x8d | 0x8e | 0x95 | 0x96 => 8,
            _ => return false,
        };
        // The last of the first four bytes has the sign.
        operand.get(3..width).is_some_and(has_high_bit)
    };
    (0..stream.len()).any(|at| stream.get(at..).is_some_and(wide))
        || stream
            .windows(DIGITS)
            .any(|window| window.iter().all(u8::is_ascii_digit))
}

/// Whether the difference is one that sizes of 32 bits make: a size that a file's reader puts together
/// from bytes that do not stand together, or a key that is no index any more.
pub(super) fn is_narrow(difference: &Difference) -> bool {
    let error = difference.theirs.get("err").and_then(Json::as_str);
    matches!(error, Some("OverflowError" | "IndexError"))
}

/// Whether the fourth byte of a length, or one behind it, makes it 2**31 or more.
fn has_high_bit(bytes: &[u8]) -> bool {
    match bytes.split_first() {
        Some((fourth, above)) => *fourth >= 0x7f || above.iter().any(|byte| *byte > 0),
        None => false,
    }
}

/// The nodes of a heap in any order, whatever the numbers of those that they hold.
fn unnumbered(heap: Option<&Json>) -> Vec<String> {
    let mut nodes: Vec<String> = heap
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .map(|node| {
            let text = node.to_string();
            let mut parts = text.split("{\"r\":");
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |text, part| {
                let rest = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
                text + "{\"r\":" + rest
            })
        })
        .collect();
    nodes.sort_unstable();
    nodes
}

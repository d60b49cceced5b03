//! Every target holds on the corpus, on every regression, and on cut and altered samples.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::path::Path;

use pickleproof_corpus::samples;
use pickleproof_fuzz::{analyze, differential, loads, loads_structured, readings};

/// At most so many bytes of a sample are cut at each length.
const CUT: usize = 160;

fn replay(name: &str, target: fn(&[u8])) {
    for sample in samples().unwrap() {
        target(&sample.bytes);
        for length in 0..sample.bytes.len().min(CUT) {
            target(sample.bytes.get(..length).unwrap());
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("regressions")
        .join(name);
    for entry in std::fs::read_dir(folder).unwrap() {
        target(&std::fs::read(entry.unwrap().path()).unwrap());
    }
}

#[test]
fn loads_holds() {
    replay("loads", loads);
}

#[test]
fn readings_hold() {
    replay("readings", readings);
}

#[test]
fn loads_structured_holds() {
    replay("loads_structured", loads_structured);
}

/// Without a Python it holds of nothing, and says so.
#[test]
fn differential_holds() {
    replay("differential", differential::target);
}

#[test]
fn analyze_holds() {
    replay("analyze", analyze);
}

/// Small seeds, altered by a fixed generator: the same inputs in every run.
#[test]
fn altered_samples_hold() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33)
            .unwrap()
            .checked_rem(below)
            .unwrap_or(0)
    };
    for sample in samples()
        .unwrap()
        .iter()
        .filter(|sample| sample.bytes.len() < 2048)
    {
        for _ in 0..40 {
            let mut bytes = sample.bytes.clone();
            for _ in 0..random(4) {
                let at = random(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = u8::try_from(random(256)).unwrap();
                }
            }
            loads(&bytes);
            readings(&bytes);
            analyze(&bytes);
        }
    }
}

//! What the machine notes where readings part ways is all there is to note.

use pickleproof_core::{
    Dialect, End, Fingerprints, Limits, Machine, Options, Reading, Trace, Version,
};

/// Runs `bytes` in every reading of the loaders.
///
/// # Panics
///
/// Where a run as `_pickle` of 3.11 comes to STOP without noting a divergence, and another reading
/// has other effects or another end.
pub fn readings(bytes: &[u8]) {
    let run = |reading: Reading| {
        let options = Options {
            dialect: reading.dialect,
            version: reading.version,
            reader: reading.reader,
            limits: limits(),
            ..Options::default()
        };
        Machine::new(bytes, 0, options).run()
    };
    let first = run(Reading {
        version: Version::CLASSIC,
        ..Reading::default()
    });
    let End::Stop { offset, .. } = first.end else {
        return;
    };
    if first.divergence.first().is_some() {
        return;
    }
    let fingerprints = Fingerprints::default();
    let expected = fingerprints.of(&first);
    let all = [Reading::all(Dialect::C), Reading::all(Dialect::Python)];
    for reading in all.into_iter().flatten() {
        let other = run(reading);
        let name = Reading::describe(&[reading]);
        assert!(
            stops_at(&other, offset),
            "{name} ends otherwise: {:?}, not {:?}",
            other.end,
            first.end
        );
        assert_eq!(
            fingerprints.of(&other),
            expected,
            "{name} has other effects"
        );
    }
}

fn stops_at(trace: &Trace<'_>, expected: usize) -> bool {
    matches!(trace.end, End::Stop { offset, .. } if offset == expected)
}

/// No stream of a few kilobytes hits them.
fn limits() -> Limits {
    Limits {
        instructions: 1 << 16,
        ..Limits::default()
    }
}

//! The comparison as a fuzz target.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use serde_json::json;

use super::{Batch, Differential, Report, Verdict};
use crate::generate::{Faults, Generator, Options};
use crate::oracle::Implementation;

/// Where disagreements are saved.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/artifacts/differential");

/// The variable with which the absence of Python is a failure.
const REQUIRE: &str = "PICKLEPROOF_REQUIRE_PYTHON";

/// Compares the machine with CPython on `bytes`, and on the stream that a generator makes of them.
///
/// Without a Python it does nothing, and says so once.
///
/// # Panics
///
/// They disagree; both results and the smallest such stream are saved before. There is no Python
/// although `PICKLEPROOF_REQUIRE_PYTHON` is 1.
pub fn target(bytes: &[u8]) {
    static DIFFERENTIAL: OnceLock<Option<Mutex<Differential>>> = OnceLock::new();
    let Some(differential) = DIFFERENTIAL.get_or_init(start) else {
        return;
    };
    let mut differential = differential
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let generated = Options {
        faults: Faults::Some,
        buffers: 2,
        extensions: vec![1],
        ..Options::default()
    };
    let options = json!({
        "encoding": "latin1",
        "buffers": [{"t": "bytearray", "hex": "6162"}, {"t": "bytes", "hex": "63"}],
        "ext": {"1": ["em", "en"]},
    });
    let batch = Batch {
        options: options.clone(),
        streams: vec![
            bytes.to_vec(),
            Generator::from_bytes(bytes, generated).stream(),
        ],
    };
    let streams = batch.streams.clone();
    let verdicts = match differential.compare(batch) {
        Ok(verdicts) => verdicts,
        Err(error) => panic!("{error}"),
    };
    for (stream, verdicts) in streams.into_iter().zip(verdicts) {
        for verdict in verdicts {
            if let Verdict::Different(difference) = verdict {
                let version = differential.version();
                let (small, difference) = differential
                    .shrink(&options, &stream, &difference)
                    .unwrap_or_else(|_| (stream.clone(), *difference));
                let report = Report {
                    stream: small,
                    original: stream,
                    options,
                    version,
                    difference,
                };
                let saved = report.save(Path::new(FOLDER));
                panic!("{}saved: {saved:?}", report.text());
            }
        }
    }
}

/// Whether the absence of Python is a failure, because `PICKLEPROOF_REQUIRE_PYTHON` is 1.
#[must_use]
pub fn required() -> bool {
    std::env::var_os(REQUIRE).is_some_and(|value| value == "1")
}

fn start() -> Option<Mutex<Differential>> {
    let implementations = [
        Implementation::C,
        Implementation::Python,
        Implementation::Genops,
    ];
    match Differential::start(None, &implementations) {
        Ok(differential) => Some(Mutex::new(differential)),
        Err(why) if required() => {
            panic!("no comparison with CPython: {why}")
        }
        Err(why) => {
            // Nothing better can be done where standard error is gone too.
            let _ = writeln!(std::io::stderr(), "no comparison with CPython: {why}");
            None
        }
    }
}

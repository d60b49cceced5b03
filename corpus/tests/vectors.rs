//! The machine against recorded results of CPython: accept or reject, exception class, where it
//! ends, and the structure of the result with sharing, cycles and the log of effects.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test that panics has failed, and one that says what it compared can be trusted"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pickleproof_core::{Dialect, Encoding, End, Environment, Machine, Options, OutOfBand, Version};
use pickleproof_corpus::canonical;
use serde_json::Value as Json;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/unpickler.jsonl");

/// Modules whose stubs lack some of the methods that a stub usually has. The machine takes every
/// global for a class that supports everything.
const PROFILES: [&[u8]; 7] = [
    b"P_func",
    b"P_plain",
    b"P_bare",
    b"P_append",
    b"P_initargs",
    b"P_attrerr",
    b"P_noimport",
];

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// `None` where a vector asks for something that is not the machine's: codecs of Python's library.
fn options(given: &Json, dialect: Dialect, version: Version) -> Option<Options> {
    let encoding = match given["encoding"].as_str() {
        None | Some("ASCII" | "ascii") => Encoding::Ascii,
        Some("latin1" | "latin-1") => Encoding::Latin1,
        Some("utf-8" | "utf8") => Encoding::Utf8,
        Some("bytes") => Encoding::Bytes,
        Some(_) => return None,
    };
    if given["errors"]
        .as_str()
        .is_some_and(|errors| errors != "strict")
    {
        return None;
    }
    let buffers = given["buffers"].as_array().map(|buffers| {
        let kind = |buffer: &Json| {
            if buffer["t"] == "bytes" {
                OutOfBand::ReadOnly
            } else {
                OutOfBand::Writable
            }
        };
        buffers.iter().map(kind).collect()
    });
    let extensions = given["ext"]
        .as_object()
        .map_or_else(Vec::new, |extensions| {
            let text = |name: &Json| name.as_str().unwrap().to_owned();
            extensions
                .iter()
                .map(|(code, names)| (code.parse().unwrap(), text(&names[0]), text(&names[1])))
                .collect()
        });
    Some(Options {
        dialect,
        version,
        encoding,
        environment: Environment::Exact,
        persistent_load: given["persid"] != Json::Bool(false),
        buffers,
        extensions,
        ..Options::default()
    })
}

fn run(bytes: &[u8], given: &Json, options: Options) -> Json {
    let mut machine = Machine::new(bytes, 0, options);
    let loads = given["loads"].as_u64().unwrap_or(1);
    let mut end = machine.load();
    for _ in 1..loads {
        if !matches!(end, End::Stop { .. }) {
            break;
        }
        end = machine.load();
    }
    let trace = machine.finish(end);
    let buffers = given["buffers"].as_array().cloned().unwrap_or_default();
    let mut result = canonical(&trace, &buffers);
    match trace.end {
        End::Stop { .. } => {
            result["ok"] = true.into();
            result["end"] = trace.consumed.into();
        }
        End::Broken(error) => {
            result["ok"] = false.into();
            result["err"] = error.exception.name().into();
        }
        End::Limit { which, .. } => result["err"] = which.name().into(),
    }
    result
}

fn without_message(result: &Json) -> Json {
    let mut result = result.clone();
    result.as_object_mut().unwrap().remove("msg");
    result
}

fn version(text: &str) -> Version {
    let mut parts = text.split('.').skip(1).map(|part| part.parse().unwrap());
    Version {
        minor: parts.next().unwrap(),
        patch: parts.next().unwrap(),
    }
}

/// What a vector expects of a dialect in each version that it names.
fn expectations(vector: &Json, dialect: Dialect) -> Vec<(Version, Json)> {
    let key = if dialect == Dialect::C {
        "c_result"
    } else {
        "py_result"
    };
    let base = match &vector[key] {
        Json::String(_) => &vector["c_result"],
        result => result,
    };
    let mut expected = vec![(Version::CLASSIC, without_message(base))];
    for other in vector["xver"].as_array().into_iter().flatten() {
        let result = match &other[key] {
            Json::Null => continue,
            Json::String(_) => match &other["c_result"] {
                Json::Null => &vector["c_result"],
                result => result,
            },
            result => result,
        };
        for name in other["v"].as_array().unwrap() {
            expected.push((version(name.as_str().unwrap()), without_message(result)));
        }
    }
    expected
}

#[derive(Default)]
struct Tally {
    compared: usize,
    skipped: BTreeMap<&'static str, usize>,
    different: usize,
    shown: String,
}

fn compare(dialect: Dialect) -> Tally {
    let text = std::fs::read_to_string(VECTORS).unwrap();
    let mut tally = Tally::default();
    for line in text.lines() {
        let vector: Json = serde_json::from_str(line).unwrap();
        let bytes = unhex(vector["hex"].as_str().unwrap());
        if vector["env"] == Json::Bool(true) {
            *tally
                .skipped
                .entry("depends on the host's memory")
                .or_default() += 1;
            continue;
        }
        let extensions = vector["opts"]["ext"].to_string();
        if PROFILES.iter().any(|profile| {
            bytes
                .windows(profile.len())
                .any(|window| window == *profile)
                || (bytes.iter().any(|byte| (0x82..=0x84).contains(byte))
                    && extensions.contains(std::str::from_utf8(profile).unwrap()))
        }) {
            *tally
                .skipped
                .entry("stubs with missing methods")
                .or_default() += 1;
            continue;
        }
        let given = &vector["opts"];
        for (version, expected) in expectations(&vector, dialect) {
            let Some(options) = options(given, dialect, version) else {
                *tally
                    .skipped
                    .entry("codecs of Python's library")
                    .or_default() += 1;
                continue;
            };
            let found = run(&bytes, given, options);
            tally.compared += 1;
            if found != expected {
                tally.different += 1;
                if tally.different <= 40 {
                    let _ = writeln!(
                        tally.shown,
                        "\n{} 3.{}.{} {:?} {given}\n  expected {expected}\n  found    {found}",
                        vector["id"],
                        version.minor,
                        version.patch,
                        String::from_utf8_lossy(&bytes[..bytes.len().min(80)])
                    );
                }
            }
        }
    }
    tally
}

fn check(dialect: Dialect) {
    // Keys may be tuples nested some thousand levels deep, and this comparison recurses on them.
    let thread = std::thread::Builder::new().stack_size(256 << 20);
    let tally = thread
        .spawn(move || compare(dialect))
        .unwrap()
        .join()
        .unwrap();
    println!(
        "{}: {} results compared, {} differ, skipped {:?}",
        dialect.name(),
        tally.compared,
        tally.different,
        tally.skipped
    );
    assert_eq!(tally.different, 0, "{}", tally.shown);
}

#[test]
fn the_c_dialect_agrees_with_cpython() {
    check(Dialect::C);
}

#[test]
fn the_python_dialect_agrees_with_cpython() {
    check(Dialect::Python);
}

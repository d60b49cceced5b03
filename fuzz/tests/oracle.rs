//! The oracle answers, loads nothing, and survives what CPython does not.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that panics has failed, and one that says that it was skipped can be trusted"
)]

use pickleproof_fuzz::differential::required;
use pickleproof_fuzz::oracle::{Implementation, Oracle, Question};
use serde_json::{Value as Json, json};

/// The results of streams, for each implementation; `None` where there is no Python.
fn ask(
    implementations: &[Implementation],
    options: &Json,
    streams: &[&[u8]],
) -> Option<Vec<Vec<Json>>> {
    let mut oracle = match Oracle::of_environment() {
        Ok(oracle) => oracle,
        Err(why) => {
            assert!(!required(), "{why}");
            println!("skipped: {why}");
            return None;
        }
    };
    let question = Question {
        implementations,
        options,
        arguments: true,
        messages: false,
    };
    let answers = oracle.ask(question, streams).unwrap();
    let result = |stream, place| {
        let answer = answers.get(stream, place).unwrap();
        serde_json::from_slice(answer).unwrap()
    };
    let of_stream = |stream| {
        (0..implementations.len())
            .map(|place| result(stream, place))
            .collect()
    };
    Some((0..streams.len()).map(of_stream).collect())
}

#[test]
fn what_a_stream_calls_is_told_and_not_called() {
    let witness = std::env::temp_dir().join("pickleproof-oracle-witness");
    let _ = std::fs::remove_file(&witness);
    let stream = format!("cos\nsystem\n(Vtouch {}\ntR.", witness.display());
    let unpicklers = [
        Implementation::C,
        Implementation::CFile,
        Implementation::CBuffered,
        Implementation::Python,
    ];
    let Some(results) = ask(&unpicklers, &json!({}), &[stream.as_bytes()]) else {
        return;
    };
    for result in &results[0] {
        assert_eq!(result["ok"], true);
        assert_eq!(result["log"][0], json!(["global", "os", "system"]));
        assert_eq!(result["log"][1][0], "call");
    }
    assert!(!witness.exists());
}

#[test]
fn options_of_a_batch_hold_for_its_streams() {
    let options = json!({
        "encoding": "bytes",
        "ext": {"7": ["em", "en"]},
        "buffers": [{"t": "bytearray", "hex": "6162"}],
        "persid": false,
        "loads": 2,
    });
    let streams: [&[u8]; 4] = [b"N.U\x01\xff.", b"N.\x82\x07.", b"N.\x97.", b"N.NQ."];
    let Some(results) = ask(&[Implementation::C], &options, &streams) else {
        return;
    };
    assert_eq!(results[0][0]["root"], json!({"b": "ff"}));
    assert_eq!(results[1][0]["log"], json!([["global", "em", "en"]]));
    assert_eq!(
        results[2][0]["heap"],
        json!([{"k": "bytearray", "v": "6162"}])
    );
    assert_eq!(results[3][0]["err"], "UnpicklingError");
}

/// Hashing a key of half a million nested tuples ends the process of most releases.
#[test]
fn a_crash_is_a_result_and_the_rest_of_the_batch_is_answered() {
    let mut deep = b"})".to_vec();
    deep.resize(500_000, 0x85);
    deep.extend(b"Ns.");
    let streams: [&[u8]; 3] = [b"K\x01.", &deep, b"K\x02."];
    let Some(results) = ask(&[Implementation::C], &json!({}), &streams) else {
        return;
    };
    assert_eq!(results[0][0]["root"], 1);
    assert_eq!(results[2][0]["root"], 2);
    let error = results[1][0]["err"].as_str().unwrap_or("accepted");
    println!("a key of half a million nested tuples: {error}");
    assert!(error.starts_with("CRASH") || error.ends_with("Error"));
}

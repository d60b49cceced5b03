//! Runs in the terms of the records: options as `opts` has them, results as `c_result` and its kin do.

use pickleproof_core::pickletools::{self, Operations};
use pickleproof_core::{
    Encoding, End, Environment, ErrorHandler, Machine, Options, OutOfBand, Trace, Version,
};
use serde_json::{Value as Json, json};

use crate::canonical::{argument_json, canonical};
use crate::profiles::profile;

/// The bytes of a hexadecimal text; `None` where it is none.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let pair = |pair: &[u32]| match pair {
        [high, low] => u8::try_from((high << 4) | low).ok(),
        _ => None,
    };
    digits?.chunks(2).map(pair).collect()
}

/// The options of a run that a record's `opts` ask for; dialect, reader and release are the
/// caller's.
#[must_use]
pub fn recorded_options(given: &Json) -> Options {
    let text = |key: &str| given.get(key).and_then(Json::as_str);
    let buffer = |buffer: &Json| {
        let bytes = unhex(buffer.get("hex")?.as_str()?)?;
        Some(match buffer.get("t")?.as_str()? {
            "bytes" => OutOfBand::ReadOnly(bytes),
            _ => OutOfBand::Writable(bytes),
        })
    };
    let buffers = given.get("buffers").and_then(Json::as_array);
    let extension = |(code, names): (&String, &Json)| {
        let name = |place| Some(names.get(place)?.as_str()?.to_owned());
        Some((code.parse().ok()?, name(0)?, name(1)?))
    };
    let extensions = given.get("ext").and_then(Json::as_object);
    Options {
        encoding: text("encoding").map_or(Encoding::Ascii, Encoding::from_name),
        errors: text("errors").map_or(ErrorHandler::Strict, ErrorHandler::from_name),
        environment: Environment::Exact,
        persistent_load: given.get("persid") != Some(&Json::Bool(false)),
        buffers: buffers.map(|buffers| buffers.iter().filter_map(buffer).collect()),
        extensions: extensions
            .into_iter()
            .flatten()
            .filter_map(extension)
            .collect(),
        profile: Some(profile),
        ..Options::default()
    }
}

/// Loads as often as a record's `opts` ask for, with one unpickler.
#[must_use]
pub fn recorded_run<'a>(stream: &'a [u8], given: &Json, options: Options) -> Trace<'a> {
    let loads = given.get("loads").and_then(Json::as_u64).unwrap_or(1);
    let mut machine = Machine::new(stream, 0, options);
    let mut end = machine.load();
    for _ in 1..loads {
        if !matches!(end, End::Stop { .. }) {
            break;
        }
        end = machine.load();
    }
    machine.finish(end)
}

/// The result of a run: [`canonical`], with whether it was accepted, and where it ended or why it
/// was not.
#[must_use]
pub fn recorded_result(trace: &Trace<'_>) -> Json {
    let mut result = canonical(trace, Some(profile));
    let outcome = match trace.end {
        End::Stop { .. } => [("ok", true.into()), ("end", trace.consumed.into())],
        End::Broken(error) => [("ok", false.into()), ("err", error.exception.name().into())],
        End::Limit { which, .. } => [("ok", false.into()), ("err", which.name().into())],
    };
    if let Some(result) = result.as_object_mut() {
        result.extend(outcome.map(|(key, value): (&str, Json)| (key.to_owned(), value)));
    }
    result
}

/// What `genops` gives: offsets, names and arguments up to the end or the error.
#[must_use]
pub fn recorded_genops(stream: &[u8], version: Version) -> Json {
    let mut listed: Vec<Json> = Vec::new();
    let mut operations = Operations::new(stream, 0, version);
    for operation in operations.by_ref() {
        match operation {
            Ok(operation) => listed.push(json!([
                operation.instruction.offset,
                operation.instruction.opcode.name(),
                argument_json(&operation.argument),
            ])),
            Err(error) => {
                return json!({"err": error.exception.name(), "ok": false, "ops": listed});
            }
        }
    }
    json!({"end": operations.position(), "ok": true, "ops": listed})
}

/// Whether `dis` accepts the stream.
#[must_use]
pub fn recorded_dis(stream: &[u8], version: Version) -> Json {
    match pickletools::dis(stream, 0, version) {
        Ok(_) => json!({"ok": true}),
        Err(error) => json!({"err": error.exception.name(), "ok": false}),
    }
}

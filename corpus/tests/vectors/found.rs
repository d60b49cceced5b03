//! What the machine, and the readings of pickletools, make of a stream.

use pickleproof_core::pickletools::{self, Operations};
use pickleproof_core::{
    Dialect, Encoding, End, Environment, ErrorHandler, Machine, Options, OutOfBand, Reader, Version,
};
use pickleproof_corpus::{Context, argument_json, canonical, profile};
use serde_json::{Value as Json, json};

use crate::Implementation;
use crate::expected::Vector;

/// The result of an implementation in the form of the records.
pub(crate) fn result(vector: &Vector, implementation: Implementation, version: Version) -> Json {
    let (dialect, reader) = match implementation {
        Implementation::C => (Dialect::C, Reader::Bytes),
        Implementation::Python => (Dialect::Python, Reader::Bytes),
        Implementation::CStream => (Dialect::C, Reader::Stream),
        Implementation::CBuffered => (Dialect::C, Reader::Buffered(8192)),
        Implementation::Genops => return genops(&vector.bytes, version),
        Implementation::Dis => {
            return match pickletools::dis(&vector.bytes, 0, version) {
                Ok(_) => json!({"ok": true}),
                Err(error) => json!({"ok": false, "err": error.exception.name()}),
            };
        }
    };
    run(
        &vector.bytes,
        &vector.options,
        Options {
            dialect,
            version,
            reader,
            ..options(&vector.options)
        },
    )
}

fn options(given: &Json) -> Options {
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
    Options {
        encoding: given["encoding"]
            .as_str()
            .map_or(Encoding::Ascii, Encoding::from_name),
        errors: given["errors"]
            .as_str()
            .map_or(ErrorHandler::Strict, ErrorHandler::from_name),
        environment: Environment::Exact,
        persistent_load: given["persid"] != Json::Bool(false),
        buffers,
        extensions,
        profile: Some(profile),
        ..Options::default()
    }
}

fn run(bytes: &[u8], given: &Json, options: Options) -> Json {
    let context = Context {
        buffers: given["buffers"].as_array().cloned().unwrap_or_default(),
        profile: options.profile,
    };
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
    let mut result = canonical(&trace, &context);
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

/// The records list so many opcodes of a stream.
const LISTED: usize = 5000;

fn genops(bytes: &[u8], version: Version) -> Json {
    let mut listed = Vec::new();
    let mut count = 0_usize;
    let mut operations = Operations::new(bytes, 0, version);
    for operation in operations.by_ref() {
        match operation {
            Ok(operation) => {
                count += 1;
                if count <= LISTED {
                    let instruction = operation.instruction;
                    let name = instruction.opcode.name();
                    listed.push(json!([
                        instruction.offset,
                        name,
                        argument_json(&operation.argument)
                    ]));
                }
            }
            Err(error) => {
                let err = error.exception.name();
                return json!({"ok": false, "err": err, "n": count, "ops": listed});
            }
        }
    }
    let end = operations.position();
    json!({"ok": true, "n": count, "end": end, "ops": listed})
}

//! The machine's side of a comparison.

use pickleproof_core::pickletools::{self, Operations};
use pickleproof_core::{
    Dialect, Encoding, End, Environment, ErrorHandler, Machine, Options, OutOfBand, Reader, Trace,
    Version,
};
use pickleproof_corpus::{Context, argument_json, canonical, profile};
use serde_json::{Value as Json, json};

use super::{HASH_STEPS, MEMO_BYTES, Skip};
use crate::oracle::Implementation;

/// The machine with the options of a batch.
pub(super) struct Ours {
    options: Options,
    context: Context,
    loads: u64,
    buffer: usize,
}

impl Ours {
    pub(super) fn new(given: &Json, version: Version) -> Self {
        let number = |key| given.get(key).and_then(Json::as_u64);
        Self {
            options: options(given, version),
            context: Context {
                buffers: array(given, "buffers").unwrap_or_default(),
                profile: Some(profile),
            },
            loads: number("loads").unwrap_or(1),
            buffer: number("bufsize")
                .and_then(|size| usize::try_from(size).ok())
                .unwrap_or(8192),
        }
    }

    /// The result of a stream as compact JSON.
    pub(super) fn run(
        &self,
        implementation: Implementation,
        stream: &[u8],
    ) -> Result<Vec<u8>, Skip> {
        let version = self.options.version;
        let (dialect, reader) = match implementation {
            Implementation::C => (Dialect::C, Reader::Bytes),
            Implementation::CFile => (Dialect::C, Reader::Stream),
            Implementation::CBuffered => (Dialect::C, Reader::Buffered(self.buffer)),
            Implementation::Python => (Dialect::Python, Reader::Bytes),
            Implementation::Genops => return Ok(genops(stream, version)),
            Implementation::Dis => return Ok(dis(stream, version)),
        };
        let options = Options {
            dialect,
            reader,
            ..self.options.clone()
        };
        Ok(self.load(stream, options)?.to_string().into_bytes())
    }

    fn load(&self, stream: &[u8], options: Options) -> Result<Json, Skip> {
        let dense = options.dialect == Dialect::C && !options.version.has_sparse_memo();
        let mut machine = Machine::new(stream, 0, options);
        let mut end = machine.load();
        for _ in 1..self.loads {
            if !matches!(end, End::Stop { .. }) {
                break;
            }
            end = machine.load();
        }
        let trace = machine.finish(end);
        if dense && trace.cost.memo_bytes > MEMO_BYTES {
            return Err(Skip::MemoIndex);
        }
        if trace.cost.hash_steps > HASH_STEPS {
            return Err(Skip::HashCost);
        }
        Ok(result(&trace, &self.context))
    }
}

fn array(given: &Json, key: &str) -> Option<Vec<Json>> {
    given.get(key).and_then(Json::as_array).cloned()
}

fn options(given: &Json, version: Version) -> Options {
    let text = |key| given.get(key).and_then(Json::as_str);
    let buffers = array(given, "buffers").map(|buffers| {
        let kind = |buffer: &Json| match buffer.get("t").and_then(Json::as_str) {
            Some("bytes") => OutOfBand::ReadOnly,
            _ => OutOfBand::Writable,
        };
        buffers.iter().map(kind).collect()
    });
    let extension = |(code, names): (&String, &Json)| {
        let name = |place| Some(names.get(place)?.as_str()?.to_owned());
        Some((code.parse().ok()?, name(0)?, name(1)?))
    };
    let extensions = given.get("ext").and_then(Json::as_object);
    Options {
        version,
        encoding: text("encoding").map_or(Encoding::Ascii, Encoding::from_name),
        errors: text("errors").map_or(ErrorHandler::Strict, ErrorHandler::from_name),
        environment: Environment::Exact,
        persistent_load: given.get("persid") != Some(&Json::Bool(false)),
        buffers,
        extensions: extensions
            .into_iter()
            .flatten()
            .filter_map(extension)
            .collect(),
        profile: Some(profile),
        ..Options::default()
    }
}

fn result(trace: &Trace<'_>, context: &Context) -> Json {
    let mut result = canonical(trace, context);
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

/// Offsets, names and arguments up to the end or the error.
fn genops(stream: &[u8], version: Version) -> Vec<u8> {
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
                let result = json!({"err": error.exception.name(), "ok": false, "ops": listed});
                return result.to_string().into_bytes();
            }
        }
    }
    let end = operations.position();
    let result = json!({"end": end, "ok": true, "ops": listed});
    result.to_string().into_bytes()
}

fn dis(stream: &[u8], version: Version) -> Vec<u8> {
    let result = match pickletools::dis(stream, 0, version) {
        Ok(_) => json!({"ok": true}),
        Err(error) => json!({"err": error.exception.name(), "ok": false}),
    };
    result.to_string().into_bytes()
}

//! The machine's side of a comparison.

use pickleproof_core::{
    Dialect, Effect, EffectKind, Encoding, End, Environment, Machine, Options, OutOfBand, Trace,
    ValueKind, Version,
};
use pickleproof_corpus::canonical;
use serde_json::{Value as Json, json};

use super::{HASH_STEPS, MEMO_BYTES, Skip};
use crate::oracle::Implementation;

/// Whether the operands of `genops` are compared, and not only offsets and names.
pub(super) const HAS_ARGUMENTS: bool = false;

/// The machine with the options of a batch.
pub(super) struct Ours {
    options: Option<Options>,
    buffers: Vec<Json>,
    loads: u64,
}

impl Ours {
    pub(super) fn new(given: &Json, version: Version) -> Self {
        Self {
            options: options(given, version),
            buffers: array(given, "buffers").unwrap_or_default(),
            loads: given.get("loads").and_then(Json::as_u64).unwrap_or(1),
        }
    }

    /// The result of a stream as compact JSON.
    pub(super) fn run(
        &self,
        implementation: Implementation,
        stream: &[u8],
    ) -> Result<Vec<u8>, Skip> {
        let Some(options) = &self.options else {
            return Err(Skip::Unsupported);
        };
        let with = |dialect| Options {
            dialect,
            ..options.clone()
        };
        let result = match implementation {
            Implementation::C => self.load(stream, with(Dialect::C))?,
            Implementation::Python => self.load(stream, with(Dialect::Python))?,
            Implementation::Genops => genops(stream, with(Dialect::PickleTools)),
            Implementation::CFile | Implementation::CBuffered | Implementation::Dis => {
                return Err(Skip::Unsupported);
            }
        };
        Ok(result.to_string().into_bytes())
    }

    fn load(&self, stream: &[u8], options: Options) -> Result<Json, Skip> {
        let python = options.dialect == Dialect::Python;
        let dense = !python && !options.version.has_sparse_memo();
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
        if python
            && trace
                .effects
                .iter()
                .any(|effect| unpacks_set(&trace, effect))
        {
            return Err(Skip::SetOrder);
        }
        Ok(result(&trace, &self.buffers))
    }
}

/// `pickle.py` takes anything iterable for arguments.
fn unpacks_set(trace: &Trace<'_>, effect: &Effect) -> bool {
    match effect.kind {
        EffectKind::Call { arguments, .. } => {
            matches!(arguments.kind(), ValueKind::Set | ValueKind::FrozenSet)
                && trace.graph.item_count(arguments) > 1
        }
        _ => false,
    }
}

fn array(given: &Json, key: &str) -> Option<Vec<Json>> {
    given.get(key).and_then(Json::as_array).cloned()
}

/// `None` where a codec of Python's library is asked for, or another error handler.
fn options(given: &Json, version: Version) -> Option<Options> {
    let encoding = match given.get("encoding").map(Json::as_str) {
        None | Some(Some("ASCII" | "ascii")) => Encoding::Ascii,
        Some(Some("latin1" | "latin-1")) => Encoding::Latin1,
        Some(Some("utf-8" | "utf8")) => Encoding::Utf8,
        Some(Some("bytes")) => Encoding::Bytes,
        Some(_) => return None,
    };
    if given.get("errors").is_some_and(|errors| errors != "strict") {
        return None;
    }
    let buffers = array(given, "buffers").map(|buffers| {
        let kind = |buffer: &Json| match buffer.get("t").and_then(Json::as_str) {
            Some("bytes") => OutOfBand::ReadOnly,
            _ => OutOfBand::Writable,
        };
        buffers.iter().map(kind).collect()
    });
    let mut extensions = Vec::new();
    for (code, names) in given
        .get("ext")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
    {
        let name = |place| Some(names.get(place)?.as_str()?.to_owned());
        extensions.push((code.parse().ok()?, name(0)?, name(1)?));
    }
    Some(Options {
        version,
        encoding,
        environment: Environment::Exact,
        persistent_load: given.get("persid") != Some(&Json::Bool(false)),
        buffers,
        extensions,
        ..Options::default()
    })
}

fn result(trace: &Trace<'_>, buffers: &[Json]) -> Json {
    let mut result = canonical(trace, buffers);
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

/// Offsets and names up to the end, as `genops` yields them.
fn genops(stream: &[u8], options: Options) -> Json {
    let mut machine = Machine::new(stream, 0, options);
    let mut operations = Vec::new();
    loop {
        let advance = machine.advance();
        if let Some(instruction) = advance.instruction
            && !matches!(advance.end, Some(End::Broken(_) | End::Limit { .. }))
        {
            operations.push(json!([instruction.offset, instruction.opcode.name()]));
        }
        return match advance.end {
            None => continue,
            Some(End::Stop { offset, .. }) => {
                json!({"end": offset.saturating_add(1), "ok": true, "ops": operations})
            }
            Some(End::Broken(error)) => {
                json!({"err": error.exception.name(), "ok": false, "ops": operations})
            }
            Some(End::Limit { which, .. }) => {
                json!({"err": which.name(), "ok": false, "ops": operations})
            }
        };
    }
}

//! The machine's side of a comparison.

use pickleproof_core::{Dialect, Options, Reader, Version};
use pickleproof_corpus::{
    recorded_dis, recorded_genops, recorded_options, recorded_result, recorded_run,
};
use serde_json::Value as Json;

use super::{HASH_STEPS, MEMO_BYTES, Skip};
use crate::oracle::Implementation;

/// The machine with the options of a batch.
pub(super) struct Ours {
    given: Json,
    options: Options,
    buffer: usize,
}

impl Ours {
    pub(super) fn new(given: &Json, version: Version) -> Self {
        let buffer = given.get("bufsize").and_then(Json::as_u64);
        Self {
            given: given.clone(),
            options: Options {
                version,
                ..recorded_options(given)
            },
            buffer: buffer
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
            Implementation::Genops => return Ok(compact(&recorded_genops(stream, version))),
            Implementation::Dis => return Ok(compact(&recorded_dis(stream, version))),
        };
        let options = Options {
            dialect,
            reader,
            ..self.options.clone()
        };
        Ok(compact(&self.load(stream, options)?))
    }

    fn load(&self, stream: &[u8], options: Options) -> Result<Json, Skip> {
        let dense = options.dialect == Dialect::C && !options.version.has_sparse_memo();
        let trace = recorded_run(stream, &self.given, options);
        if dense && trace.cost.memo_bytes > MEMO_BYTES {
            return Err(Skip::MemoIndex);
        }
        if trace.cost.hash_steps > HASH_STEPS {
            return Err(Skip::HashCost);
        }
        Ok(recorded_result(&trace))
    }
}

fn compact(result: &Json) -> Vec<u8> {
    result.to_string().into_bytes()
}

//! What the machine, and the readings of pickletools, make of a stream.

use pickleproof_core::{Dialect, Options, Reader, Version};
use pickleproof_corpus::{
    recorded_dis, recorded_genops, recorded_options, recorded_result, recorded_run,
};
use serde_json::Value as Json;

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
        Implementation::Dis => return recorded_dis(&vector.bytes, version),
    };
    let options = Options {
        dialect,
        version,
        reader,
        ..recorded_options(&vector.options)
    };
    recorded_result(&recorded_run(&vector.bytes, &vector.options, options))
}

/// The records list so many opcodes of a stream, and say how many there are.
const LISTED: usize = 5000;

fn genops(stream: &[u8], version: Version) -> Json {
    let mut result = recorded_genops(stream, version);
    let listed = result["ops"].as_array_mut().unwrap();
    let count = listed.len();
    listed.truncate(LISTED);
    result["n"] = count.into();
    result
}

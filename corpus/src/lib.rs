//! Sample pickles as data: each with a readable source and the verdict that is expected of it.
//!
//! - [`assemble`] and [`disassemble`] translate between bytes and `.pkasm` sources. Every byte string
//!   has a source, and the source of a hostile sample can be reviewed in a diff.
//! - [`samples`] reads `manifest.toml`: the committed bytes, the expected risk and integrity.
//! - [`canonical`] gives a run the form in which results of CPython are recorded, in
//!   `vectors/unpickler.jsonl` and by the oracle.
//! - [`dictionary`] is the fuzzing dictionary, committed as `pickle.dict`.
//!
//! `BLESS=1 cargo test -p pickleproof-corpus` rewrites the bytes from the sources.

#![forbid(unsafe_code)]

mod assemble;
mod canonical;
mod dictionary;
mod disassemble;
mod literal;
mod profiles;
mod recorded;
mod samples;

pub use assemble::{AssembleError, assemble};
pub use canonical::{argument_json, canonical};
pub use dictionary::dictionary;
pub use disassemble::disassemble;
pub use profiles::profile;
pub use recorded::{
    recorded_dis, recorded_genops, recorded_options, recorded_result, recorded_run, unhex,
};
pub use samples::{Integrity, Risk, Sample, SamplesError, folder, samples, source_of};

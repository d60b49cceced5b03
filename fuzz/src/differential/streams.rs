//! The streams of a campaign: generated, and mutated from the corpus and the vectors.

use std::path::Path;

use pickleproof_corpus::{folder, samples};
use serde_json::{Value as Json, json};

use super::mutate::mutate;
use crate::generate::{Entropy, Faults, Generator, Options};

/// Longer seeds are left out: a batch is to have many streams.
const SEED_BYTES: usize = 1500;

/// Streams that a loader with the same options is given.
#[derive(Debug)]
pub struct Batch {
    /// The options, in the form of the vectors.
    pub options: Json,
    /// The streams.
    pub streams: Vec<Vec<u8>>,
}

/// Makes batches: the same for the same seed and number.
#[derive(Debug)]
pub struct Streams {
    seed: u64,
    seeds: Vec<Vec<u8>>,
}

impl Streams {
    /// Reads what is mutated: the samples of the corpus and the streams of its vectors.
    ///
    /// # Errors
    ///
    /// A file of the corpus can't be read.
    pub fn new(seed: u64) -> Result<Self, String> {
        let mut seeds: Vec<Vec<u8>> = samples()
            .map_err(|error| error.to_string())?
            .into_iter()
            .map(|sample| sample.bytes)
            .collect();
        let vectors = folder().join("vectors");
        for entry in std::fs::read_dir(&vectors).map_err(|error| error.to_string())? {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "jsonl")
            {
                read_vectors(&path, &mut seeds)?;
            }
        }
        seeds.retain(|stream| (1..=SEED_BYTES).contains(&stream.len()));
        seeds.sort_unstable();
        seeds.dedup();
        Ok(Self { seed, seeds })
    }

    /// The batch of this number.
    #[must_use]
    pub fn batch(&self, number: u64, size: usize) -> Batch {
        let mut entropy = Entropy::new(self.seed.rotate_left(32) ^ number);
        let (options, environment) = setting(&mut entropy);
        let streams = (0..size)
            .map(|_| self.stream(&mut entropy, &environment))
            .collect();
        Batch { options, streams }
    }

    fn stream(&self, entropy: &mut Entropy, environment: &Options) -> Vec<u8> {
        let seed = entropy.any();
        let options = |faults| Options {
            faults,
            ..environment.clone()
        };
        let generate = |faults| Generator::new(seed, options(faults)).stream();
        match entropy.below(16) {
            0..=3 => generate(Faults::None),
            4..=8 => generate(Faults::Some),
            9 | 10 => generate(Faults::Many),
            11 | 12 => {
                let mut generator = Generator::new(seed, options(Faults::None));
                let stream = generator.stream();
                mutate(entropy, &stream, &generator.stream())
            }
            _ => {
                let mut seed = || {
                    let place = entropy.below(self.seeds.len());
                    self.seeds.get(place).map(Vec::as_slice).unwrap_or_default()
                };
                let (stream, donor) = (seed(), seed());
                mutate(entropy, stream, donor)
            }
        }
    }
}

/// Modules of which the oracle gives stubs that lack something.
const MODULES: [&str; 7] = [
    "P_func",
    "P_plain",
    "P_bare",
    "P_append",
    "P_initargs",
    "P_attrerr",
    "P_noimport",
];

/// The options of a loader, and what a generator has to know of them.
fn setting(entropy: &mut Entropy) -> (Json, Options) {
    let mut given = serde_json::Map::new();
    let mut options = Options::default();
    let encodings = [
        "latin1", "latin1", "utf-8", "bytes", "cp1252", "ascii", "nope",
    ];
    if entropy.chance(1, 2)
        && let Some(encoding) = entropy.pick(&encodings)
    {
        given.insert("encoding".into(), json!(encoding));
    }
    let handlers = [
        "replace",
        "ignore",
        "backslashreplace",
        "surrogateescape",
        "nope",
    ];
    if entropy.chance(1, 8)
        && let Some(handler) = entropy.pick(&handlers)
    {
        given.insert("errors".into(), json!(handler));
    }
    if entropy.chance(1, 8) {
        given.insert("persid".into(), json!(false));
        options.persistent_ids = false;
    }
    if entropy.chance(1, 2) {
        let buffers = json!([
            {"t": "bytearray", "hex": "6162"},
            {"t": "bytes", "hex": "63"},
            {"t": "bytearray", "hex": ""},
        ]);
        given.insert("buffers".into(), buffers);
        options.buffers = 3;
    }
    if entropy.chance(1, 2) {
        let registered = json!({
            "1": ["em", "en"],
            "7": ["os", "system"],
            "300": ["m", "n"],
            "70000": ["p.q", "r.s"],
        });
        given.insert("ext".into(), registered);
        options.extensions = vec![1, 7, 300, 70_000];
    }
    if entropy.chance(1, 4) {
        options.loads = entropy.below(2).saturating_add(2);
        given.insert("loads".into(), json!(options.loads));
    }
    if entropy.chance(1, 3) {
        options.modules = MODULES.to_vec();
    }
    if entropy.chance(1, 2) {
        // Small, so that short streams reach beyond the buffer of a file.
        let size = entropy.below(64).saturating_add(1);
        given.insert("bufsize".into(), json!(size));
    }
    (Json::Object(given), options)
}

fn read_vectors(path: &Path, seeds: &mut Vec<Vec<u8>>) -> Result<(), String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    for line in text.lines() {
        let vector: Json = serde_json::from_str(line).map_err(|error| wrong(&error))?;
        let hex = vector.get("hex").and_then(Json::as_str).unwrap_or_default();
        if hex.len() <= SEED_BYTES.saturating_mul(2) {
            seeds.push(unhex(hex).ok_or_else(|| wrong(&"not hexadecimal"))?);
        }
    }
    Ok(())
}

/// The bytes of hexadecimal text.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect::<Option<_>>()?;
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some((high << 4) | low),
            _ => None,
        })
        .collect()
}

/// Bytes as hexadecimal text.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

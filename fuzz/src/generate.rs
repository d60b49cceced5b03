//! Seeded, structure-aware pickles.
//!
//! A [`Generator`] keeps a simulated stack, marks and memo, and chooses one opcode after another;
//! what an opcode needs and the stack does not have is pushed first, so that without
//! [`Faults`] a loader accepts the stream, provided that it resolves what [`Options`] allow. Choices
//! lean towards what readers get wrong: memo slots that are skipped and rewritten, frames,
//! STACK_GLOBAL from the memo, BUILD on anything, equal keys of different types, recursive
//! structures. With faults, operands, lengths, marks and types go wrong as well.
//!
//! ```
//! use pickleproof_fuzz::generate::{Generator, Options};
//!
//! let mut generator = Generator::new(7, Options::default());
//! let stream = generator.stream();
//! assert!(stream.contains(&b'.'));
//! assert_eq!(Generator::new(7, Options::default()).stream(), stream);
//! ```

mod entropy;
mod literals;
mod memory;
#[rustfmt::skip]
mod oddities;
mod objects;
mod state;
mod steps;
mod writer;

use std::ops::RangeInclusive;

pub(crate) use entropy::Entropy;
use writer::Writer;

/// How much of a stream is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Faults {
    /// Nothing: `_pickle` of any release loads it.
    #[default]
    None,
    /// About one thing in every other stream.
    Some,
    /// Several things.
    Many,
}

impl Faults {
    /// How many of 256 choices go wrong.
    const fn rate(self) -> usize {
        match self {
            Self::None => 0,
            Self::Some => 4,
            Self::Many => 24,
        }
    }
}

/// What streams may hold.
#[derive(Debug, Clone)]
pub struct Options {
    /// The protocol whose opcodes are used most; a different one for each stream if `None`.
    /// Others turn up as well, because no loader ties an opcode to a protocol.
    pub protocol: Option<u8>,
    /// How much goes wrong.
    pub faults: Faults,
    /// How many steps of one or more instructions a stream has.
    pub steps: RangeInclusive<usize>,
    /// How many streams are put one behind the other, for a loader that loads so often.
    pub loads: usize,
    /// Whether the loader resolves persistent ids.
    pub persistent_ids: bool,
    /// How many out-of-band buffers the loader gives.
    pub buffers: usize,
    /// The extension codes that are registered.
    pub extensions: Vec<i32>,
    /// Modules that are imported besides the usual ones; what their globals support is not known.
    pub modules: Vec<&'static str>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            protocol: None,
            faults: Faults::None,
            steps: 1..=24,
            loads: 1,
            persistent_ids: true,
            buffers: 0,
            extensions: Vec::new(),
            modules: Vec::new(),
        }
    }
}

/// Makes pickles, one after another.
#[derive(Debug, Clone)]
pub struct Generator {
    entropy: Entropy,
    options: Options,
}

impl Generator {
    /// A generator whose streams depend on the seed and the options only.
    #[must_use]
    pub fn new(seed: u64, options: Options) -> Self {
        Self {
            entropy: Entropy::new(seed),
            options,
        }
    }

    /// A generator that takes its choices from `bytes`, so that an engine which alters these alters
    /// the stream. Behind their end the stream is brought to its end.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], options: Options) -> Self {
        Self {
            entropy: Entropy::of_bytes(bytes),
            options,
        }
    }

    /// The next pickle, or as many one behind the other as the options say.
    #[must_use]
    pub fn stream(&mut self) -> Vec<u8> {
        let mut writer = Writer::new(&mut self.entropy, &self.options);
        for _ in 0..self.options.loads {
            writer.load();
        }
        writer.finish()
    }
}

//! The machine against a live CPython: accept or reject, exception class, where it ends, effects,
//! and the structure of the result.
//!
//! [`Differential`] compares batches of streams, [`campaign`] as many as one likes on all cores;
//! [`target`] is the fuzz target. What cannot be compared is counted as skipped, with the reason.

mod campaign;
mod compare;
mod mutate;
mod ours;
mod report;
mod shrink;
mod streams;
mod target;

use std::io;
use std::path::Path;

use pickleproof_core::Version;
use serde_json::Value as Json;

use crate::oracle::{Answers, Implementation, Oracle, Question};

pub use campaign::{Campaign, Tally, campaign};
pub use report::{Report, record};
pub use streams::{Batch, Streams};
pub use target::{required, target};

use compare::{compare, has_wide_sizes, is_narrow};
use ours::Ours;

/// Memo indices beyond this are not given to classic `_pickle`, which fills an array up to them.
const MEMO_BYTES: u64 = 1 << 24;
/// Hashing of more objects than this is left alone: it takes CPython too long.
const HASH_STEPS: u64 = 1 << 16;

/// Why a stream was not compared with an implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// A memo index would cost the oracle too much memory.
    MemoIndex,
    /// Hashing a key would take the oracle too long.
    HashCost,
    /// `pickle.py` unpacked a set as arguments, in an order that only its hashes tell.
    SetOrder,
    /// The interpreter has sizes of 32 bits, and the stream has larger ones.
    Narrow,
    /// CPython ran out of memory, which depends on the host.
    Memory,
    /// CPython recursed too deeply, which depends on the host.
    Recursion,
    /// CPython crashed.
    Crash,
    /// CPython took too long.
    Timeout,
}

impl Skip {
    /// The reason in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MemoIndex => "memo index too large for the oracle",
            Self::HashCost => "hashing takes too long",
            Self::SetOrder => "order of a set",
            Self::Narrow => "sizes of 32 bits",
            Self::Memory => "MemoryError of the host",
            Self::Recursion => "RecursionError of the host",
            Self::Crash => "CPython crashed",
            Self::Timeout => "CPython took too long",
        }
    }
}

/// What one comparison came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No difference.
    Same {
        /// Whether the stream is accepted.
        accepted: bool,
    },
    /// Not compared.
    Skipped(Skip),
    /// They disagree.
    Different(Box<Difference>),
}

/// Both results of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Who disagrees.
    pub implementation: Implementation,
    /// What the machine says.
    pub ours: Json,
    /// What CPython says.
    pub theirs: Json,
}

impl Difference {
    /// Which sort of difference it is: `c: ok, CPython TypeError`.
    #[must_use]
    pub fn kind(&self) -> String {
        let outcome = |result: &Json| match result.get("err").and_then(Json::as_str) {
            Some(error) => error.to_owned(),
            None => "ok".to_owned(),
        };
        let (ours, theirs) = (outcome(&self.ours), outcome(&self.theirs));
        let name = self.implementation.name();
        if ours == theirs {
            let part = ["end", "ops", "log", "root", "heap"]
                .into_iter()
                .find(|part| self.ours.get(part) != self.theirs.get(part))
                .unwrap_or("result");
            format!("{name}: both {ours}, {part} differs")
        } else {
            format!("{name}: we {ours}, CPython {theirs}")
        }
    }
}

/// Streams whose results on our side are known, and which CPython is asked about.
#[derive(Debug)]
pub struct Prepared {
    batch: Batch,
    /// For each stream, each implementation.
    ours: Vec<Vec<Result<Vec<u8>, Skip>>>,
    /// Places of those streams that CPython is asked about.
    asked: Vec<usize>,
}

/// Compares the machine with one interpreter.
#[derive(Debug)]
pub struct Differential {
    oracle: Oracle,
    implementations: Vec<Implementation>,
}

impl Differential {
    /// Starts an interpreter: the given one, or that of the environment.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn start(
        python: Option<&Path>,
        implementations: &[Implementation],
    ) -> Result<Self, String> {
        let oracle = match python {
            Some(python) => Oracle::start(python)?,
            None => Oracle::of_environment()?,
        };
        let implementations = implementations
            .iter()
            .copied()
            .filter(|implementation| oracle.implementations().contains(implementation))
            .collect();
        Ok(Self {
            oracle,
            implementations,
        })
    }

    /// The release of CPython that answers.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.oracle.version()
    }

    /// Who is compared.
    #[must_use]
    pub fn implementations(&self) -> &[Implementation] {
        &self.implementations
    }

    /// Runs the machine on all streams and finds out which ones CPython can be asked about.
    #[must_use]
    pub fn prepare(&self, batch: Batch) -> Prepared {
        let machine = Ours::new(&batch.options, self.version());
        let mut ours = Vec::with_capacity(batch.streams.len());
        let mut asked = Vec::with_capacity(batch.streams.len());
        for (place, stream) in batch.streams.iter().enumerate() {
            let results: Vec<_> = self
                .implementations
                .iter()
                .map(|implementation| machine.run(*implementation, stream))
                .collect();
            if costly(&results).is_none() {
                asked.push(place);
            }
            ours.push(results);
        }
        Prepared { batch, ours, asked }
    }

    /// Asks CPython; the answers are read with [`Differential::finish`].
    ///
    /// # Errors
    ///
    /// The process is gone.
    pub fn send(&mut self, prepared: &Prepared) -> io::Result<()> {
        let streams: Vec<&[u8]> = prepared
            .asked
            .iter()
            .filter_map(|place| prepared.batch.streams.get(*place))
            .map(Vec::as_slice)
            .collect();
        let question = Question {
            implementations: &self.implementations,
            options: &prepared.batch.options,
            arguments: true,
            messages: false,
        };
        self.oracle.send(question, &streams)
    }

    /// The verdicts on a batch that was sent: for each stream, each implementation.
    ///
    /// # Errors
    ///
    /// The process is gone.
    pub fn finish(&mut self, prepared: &Prepared) -> io::Result<Vec<Vec<Verdict>>> {
        let answers = self.oracle.receive()?;
        Ok(self.verdicts(prepared, &answers))
    }

    fn verdicts(&self, prepared: &Prepared, answers: &Answers) -> Vec<Vec<Verdict>> {
        let mut asked = prepared.asked.iter().enumerate().peekable();
        let mut verdicts = Vec::with_capacity(prepared.ours.len());
        for (place, results) in prepared.ours.iter().enumerate() {
            let answer = asked.next_if(|(_, asked)| **asked == place);
            let not_asked = costly(results).unwrap_or(Skip::MemoIndex);
            let mut of_stream = Vec::with_capacity(results.len());
            for (number, (implementation, ours)) in
                self.implementations.iter().zip(results).enumerate()
            {
                let theirs = answer.and_then(|(answer, _)| answers.get(answer, number));
                of_stream.push(match (ours, theirs) {
                    (Err(skip), _) => Verdict::Skipped(*skip),
                    (Ok(_), None) => Verdict::Skipped(not_asked),
                    (Ok(ours), Some(theirs)) => {
                        let stream = prepared.batch.streams.get(place);
                        let stream = stream.map_or(&[][..], Vec::as_slice);
                        match compare(*implementation, stream, ours, theirs) {
                            Verdict::Different(difference)
                                if self.oracle.is_narrow()
                                    && (has_wide_sizes(stream) || is_narrow(&difference)) =>
                            {
                                Verdict::Skipped(Skip::Narrow)
                            }
                            verdict => verdict,
                        }
                    }
                });
            }
            verdicts.push(of_stream);
        }
        verdicts
    }

    /// Compares streams, and starts another interpreter where one is gone.
    ///
    /// # Errors
    ///
    /// No other one starts.
    pub fn compare(&mut self, batch: Batch) -> Result<Vec<Vec<Verdict>>, String> {
        let prepared = self.prepare(batch);
        if self.send(&prepared).is_ok()
            && let Ok(verdicts) = self.finish(&prepared)
        {
            return Ok(verdicts);
        }
        self.again(&prepared)
    }

    /// Asks another interpreter about a batch on which one went; if that goes as well, about each
    /// stream alone, and those on which it goes are told as crashes.
    ///
    /// # Errors
    ///
    /// No other one starts.
    pub fn again(&mut self, prepared: &Prepared) -> Result<Vec<Vec<Verdict>>, String> {
        self.oracle.restart()?;
        if self.send(prepared).is_ok()
            && let Ok(verdicts) = self.finish(prepared)
        {
            return Ok(verdicts);
        }
        let mut verdicts = Vec::new();
        self.oracle.restart()?;
        for stream in &prepared.batch.streams {
            let alone = self.prepare(Batch {
                options: prepared.batch.options.clone(),
                streams: vec![stream.clone()],
            });
            let asked = self.send(&alone).and_then(|()| self.finish(&alone));
            if let Ok(asked) = asked {
                verdicts.extend(asked);
            } else {
                let crash = Verdict::Skipped(Skip::Crash);
                verdicts.push(vec![crash; self.implementations.len()]);
                self.oracle.restart()?;
            }
        }
        Ok(verdicts)
    }
}

/// Why a stream is not given to CPython at all.
fn costly(results: &[Result<Vec<u8>, Skip>]) -> Option<Skip> {
    results.iter().find_map(|result| match result {
        Err(skip @ (Skip::MemoIndex | Skip::HashCost)) => Some(*skip),
        _ => None,
    })
}

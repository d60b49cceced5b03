//! A stream as `joblib.load` reads it: behind each BUILD of a `NumpyArrayWrapper` the loader reads an
//! array by itself, and the stream goes on behind that.
//!
//! Source: `joblib/numpy_pickle.py` (`NumpyUnpickler.load_build`, `NumpyArrayWrapper.read_array`). It
//! reads an array from the file and not from the current frame: plain data as it stands, and an array
//! of objects as a pickle of its own, by `pickle.load` and since 1.6 by a plain `pickle._Unpickler`.

use std::collections::{BTreeMap, HashSet};

use pickleproof_core::{
    Dialect, End, Error, ErrorKind, Fingerprints, Machine, Options, Reading, Trace,
};

use super::readings::{Other, Runs, run_plain, stops};
use crate::Loader;
use crate::bytes::{narrow, wide};

mod dtype;
mod objects;
mod strangers;
mod wrapper;

use objects::{Found, Objects, is_wrapper};
use strangers::acts_on_data;
use wrapper::{Array, Data};

/// At most so many places of one stream are named that were not looked at.
const MAX_GAPS: usize = 1000;

/// At most so many arrays of objects of one stream are run: each is a run of its own.
const MAX_INNER: usize = 20_000;

/// Something that joblib would have read and that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Where the stream asks for it.
    pub offset: usize,
    /// What it is, and why it was not read.
    pub reason: String,
}

/// Whether a run names one of joblib's wrappers.
pub(super) fn concerns(runs: &Runs<'_>) -> bool {
    runs.traces()
        .any(|trace| trace.graph.globals().iter().any(is_wrapper))
}

/// The runs of a stream that names a wrapper, of which `plain` are those of `pickle.load`.
pub(super) fn run<'a>(
    plain: Runs<'a>,
    bytes: &'a [u8],
    position: usize,
    options: &Options,
) -> Runs<'a> {
    let mut inner = Inner {
        bytes,
        options,
        runs: BTreeMap::new(),
    };
    let mut loads: Vec<(Vec<Reading>, Load<'a>)> = Vec::new();
    let fingerprints = Fingerprints::default();
    let key = |trace: &Trace<'_>| (fingerprints.of(trace), stops(trace));
    let mut keys = Vec::new();
    for reading in readings(options) {
        let load = load(bytes, position, options, reading, &mut inner);
        let key = key(&load.trace);
        let known = keys.iter().position(|known| *known == key);
        if let Some((readings, _)) = known.and_then(|known| loads.get_mut(known)) {
            readings.push(reading);
        } else {
            keys.push(key);
            loads.push((vec![reading], load));
        }
    }
    let parting = loads.iter().filter_map(|(_, load)| load.parting).min();
    let unread = unread(&loads);
    if parting.is_none() && unread.is_empty() {
        return plain;
    }
    let inner = inner.into_runs();
    let acts = |other: &Other<'_>| acts_on_data(&other.trace, parting, &inner);
    let mut loads = loads.into_iter();
    let Some((readings, first)) = loads.next() else {
        return plain;
    };
    let loaded = |(readings, load): (Vec<Reading>, Load<'a>)| Other {
        readings,
        loader: Loader::JoblibLoad,
        trace: load.trace,
    };
    if !stops(&first.trace) && stops(&plain.trace) {
        // It was not written by joblib: what counts is what others make of it.
        let first = loaded((readings, first));
        let others = core::iter::once(first).chain(loads.map(loaded));
        let others: Vec<Other<'a>> = others.filter(acts).collect();
        let mut runs = Runs {
            unread,
            inner,
            ..plain
        };
        runs.others.extend(others);
        if runs.readings.is_empty() && !runs.others.is_empty() {
            runs.readings = Reading::all(Dialect::C);
        }
        return runs;
    }
    let mut others: Vec<Other<'a>> = loads.map(loaded).collect();
    // Whoever knows nothing of joblib runs the arrays as instructions.
    let first_plain = Other {
        readings: if plain.readings.is_empty() {
            Reading::all(Dialect::C)
        } else {
            plain.readings
        },
        loader: Loader::PickleLoad,
        trace: plain.trace,
    };
    let plain_others = plain.others.into_iter().map(|other| Other {
        loader: Loader::PickleLoad,
        ..other
    });
    let plain = core::iter::once(first_plain).chain(plain_others);
    others.extend(plain.filter(acts));
    Runs {
        trace: first.trace,
        readings: if others.is_empty() {
            Vec::new()
        } else {
            readings
        },
        others,
        loader: Loader::JoblibLoad,
        unread,
        inner,
    }
}

/// `pickle.py` in each of its releases, the one that `options` name first.
fn readings(options: &Options) -> Vec<Reading> {
    let first = Reading {
        dialect: Dialect::Python,
        version: options.version,
        ..Reading::default()
    };
    let mut readings = vec![first];
    let all = Reading::all(Dialect::Python).into_iter();
    readings.extend(all.filter(|reading| *reading != first));
    readings
}

fn unread(loads: &[(Vec<Reading>, Load<'_>)]) -> Vec<Unread> {
    let mut known = HashSet::new();
    let all = loads.iter().flat_map(|(_, load)| &load.unread);
    all.filter(|unread| known.insert((unread.offset, unread.reason.clone())))
        .cloned()
        .collect()
}

/// A run as joblib.
struct Load<'a> {
    trace: Trace<'a>,
    /// Where the first array begins: from here on everyone else reads another program.
    parting: Option<usize>,
    unread: Vec<Unread>,
}

fn load<'a>(
    bytes: &'a [u8],
    position: usize,
    options: &Options,
    reading: Reading,
    inner: &mut Inner<'_, 'a>,
) -> Load<'a> {
    let options = Options {
        dialect: reading.dialect,
        version: reading.version,
        reader: reading.reader,
        ..options.clone()
    };
    let mut run = Run {
        machine: Machine::new(bytes, position, options),
        bytes,
        objects: Objects::default(),
        seen: 0,
        parting: None,
        unread: Vec::new(),
    };
    let end = loop {
        if let Some(end) = run.machine.advance().end {
            break end;
        }
        if let Err(end) = run.look(inner) {
            break end;
        }
    };
    Load {
        trace: run.machine.finish(end),
        parting: run.parting,
        unread: run.unread,
    }
}

struct Run<'a> {
    machine: Machine<'a>,
    bytes: &'a [u8],
    objects: Objects,
    /// Effects that were looked at.
    seen: usize,
    parting: Option<usize>,
    unread: Vec<Unread>,
}

impl<'a> Run<'a> {
    /// Looks at what the last instruction did; the error is the end of the run.
    fn look(&mut self, inner: &mut Inner<'_, 'a>) -> Result<(), End> {
        let effects = self.machine.effects().len();
        while self.seen < effects {
            let effect = self.machine.effects().get(self.seen).copied();
            self.seen = self.seen.saturating_add(1);
            let Some(effect) = effect else { break };
            match self.objects.observe(self.machine.graph(), &effect) {
                None => {}
                Some(Found::Array(array)) => self.read(array, effect.offset, inner)?,
                Some(Found::Companion(reason)) => self.note(effect.offset, reason),
                Some(Found::Unclear(why)) => return Err(self.unclear(effect.offset, why)),
            }
        }
        Ok(())
    }

    /// Reads an array as joblib does.
    fn read(&mut self, array: Array, offset: usize, inner: &mut Inner<'_, 'a>) -> Result<(), End> {
        let from = self.machine.file_position();
        match array.data {
            Data::Pickle => match inner.load(from) {
                Loaded::Behind(next) => self.skip(next.saturating_sub(from), from),
                Loaded::Ended(end) => {
                    self.parting.get_or_insert(from);
                    Err(end)
                }
                Loaded::Ambiguous => Err(self.unclear(
                    offset,
                    "because readers disagree on where the pickle of its objects ends",
                )),
                Loaded::Refused => {
                    Err(self.unclear(offset, "because there are too many arrays of objects"))
                }
            },
            Data::Plain { size } => {
                let left = self.bytes.get(from..).unwrap_or_default();
                let padding = match left.first() {
                    // At the end of the file joblib reads a padding of nothing.
                    Some(length) if array.padded => usize::from(*length).saturating_add(1),
                    _ => 0,
                };
                self.skip(padding.min(left.len()), from)?;
                self.skip(narrow(size), from)
            }
        }
    }

    fn skip(&mut self, count: usize, from: usize) -> Result<(), End> {
        if count > 0 {
            self.parting.get_or_insert(from);
        }
        self.machine.skip(count).map_err(End::Broken)
    }

    /// An array of which it can't be told where it ends: nobody knows what joblib would run next.
    fn unclear(&mut self, offset: usize, why: &str) -> End {
        self.parting.get_or_insert(offset);
        self.note(
            offset,
            format!(
                "where an array of joblib ends can't be told, {why}; what joblib.load runs behind it was not looked at"
            ),
        );
        let from = self.machine.file_position();
        End::Broken(Error::new(ErrorKind::UnclearData, from))
    }

    fn note(&mut self, offset: usize, reason: String) {
        if self.unread.len() < MAX_GAPS {
            self.unread.push(Unread { offset, reason });
        }
    }
}

/// The pickles that stand inside the stream: arrays of objects.
struct Inner<'o, 'a> {
    bytes: &'a [u8],
    options: &'o Options,
    runs: BTreeMap<usize, Runs<'a>>,
}

/// What `pickle.load` of an array of objects comes to.
enum Loaded {
    /// The file stands here.
    Behind(usize),
    /// It did not come to STOP.
    Ended(End),
    /// Not every reader leaves the file in the same place.
    Ambiguous,
    /// There were too many before it.
    Refused,
}

impl<'a> Inner<'_, 'a> {
    fn load(&mut self, position: usize) -> Loaded {
        if self.runs.len() >= MAX_INNER && !self.runs.contains_key(&position) {
            return Loaded::Refused;
        }
        let runs = self
            .runs
            .entry(position)
            .or_insert_with(|| run_plain(self.bytes, position, self.options, Loader::PickleLoad));
        let next = runs.trace.consumed;
        let same = runs
            .traces()
            .all(|trace| stops(trace) && trace.consumed == next && trace.frame_end.is_none());
        if same {
            return Loaded::Behind(next);
        }
        if runs.traces().any(stops) {
            return Loaded::Ambiguous;
        }
        Loaded::Ended(runs.trace.end)
    }

    /// Those that are not empty, in order.
    fn into_runs(self) -> Vec<Runs<'a>> {
        let runs = self.runs.into_values();
        runs.filter(|runs| runs.trace.instructions > 0).collect()
    }
}

#[cfg(test)]
mod tests;

//! One stream in every way in which its loader could read it.

use pickleproof_core::{Dialect, End, Fingerprints, Machine, Options, Reading, Trace};

use super::joblib::{self, Unread};
use crate::Loader;

/// A run of a stream as some loaders or releases read it, and others do not.
#[derive(Debug)]
pub struct Other<'a> {
    /// Who reads it so. Empty for an unpickler that has loaded the streams before this one too, and
    /// still has their memo.
    pub readings: Vec<Reading>,
    /// Whose run it is. Where that is not the stream's loader, it is of one who does not know what
    /// the stream is: it reads on where the stream's loader reads data.
    pub loader: Loader,
    /// The run.
    pub trace: Trace<'a>,
}

/// What the readings of a stream come to.
#[derive(Debug)]
pub(super) struct Runs<'a> {
    /// As `_pickle` reads it from memory, in the releases that most use; as `pickle.py` for joblib.
    pub(super) trace: Trace<'a>,
    /// The readings that have the same effects and the same end; empty for all of them.
    pub(super) readings: Vec<Reading>,
    /// The runs that differ from it in their effects or in whether they end with STOP.
    pub(super) others: Vec<Other<'a>>,
    /// Whose runs these are.
    pub(super) loader: Loader,
    /// What joblib would have read beside.
    pub(super) unread: Vec<Unread>,
    /// The streams that joblib gives to `pickle.load` on the way.
    pub(super) inner: Vec<Runs<'a>>,
}

impl<'a> Runs<'a> {
    /// Every run.
    pub(super) fn traces(&self) -> impl Iterator<Item = &Trace<'a>> {
        core::iter::once(&self.trace).chain(self.others.iter().map(|other| &other.trace))
    }

    /// The runs of those who load the stream for what it is.
    pub(super) fn own_traces(&self) -> impl Iterator<Item = &Trace<'a>> {
        let own = self
            .others
            .iter()
            .filter(|other| other.loader == self.loader);
        core::iter::once(&self.trace).chain(own.map(|other| &other.trace))
    }

    /// Where the file stands behind the stream, for the first reading that comes to its end.
    pub(super) fn next(&self) -> Option<usize> {
        self.traces()
            .find(|trace| stops(trace))
            .map(|trace| trace.consumed)
    }
}

/// Whether a run comes to STOP.
pub(super) const fn stops(trace: &Trace<'_>) -> bool {
    matches!(trace.end, End::Stop { .. })
}

fn run_as<'a>(bytes: &'a [u8], position: usize, options: &Options, reading: Reading) -> Trace<'a> {
    let options = Options {
        dialect: reading.dialect,
        version: reading.version,
        reader: reading.reader,
        ..options.clone()
    };
    Machine::new(bytes, position, options).run()
}

/// Runs the stream at `position` as its loader does, and in the other ways in which it could where
/// that may make a difference. A stream with arrays in it is joblib's, whoever the member's loader is.
pub(super) fn run<'a>(
    bytes: &'a [u8],
    position: usize,
    options: &Options,
    loader: Loader,
) -> Runs<'a> {
    let runs = run_plain(bytes, position, options, loader);
    if !joblib::concerns(&runs) {
        return runs;
    }
    let runs = match loader {
        Loader::JoblibLoad => run_plain(bytes, position, options, Loader::PickleLoad),
        _ => runs,
    };
    let runs = Runs { loader, ..runs };
    joblib::run(runs, bytes, position, options)
}

/// The runs of those who take every byte for an instruction.
pub(super) fn run_plain<'a>(
    bytes: &'a [u8],
    position: usize,
    options: &Options,
    loader: Loader,
) -> Runs<'a> {
    let dialect = match loader {
        // It subclasses `pickle._Unpickler`.
        Loader::JoblibLoad => Dialect::Python,
        _ => options.dialect,
    };
    let first = Reading {
        dialect,
        version: options.version,
        reader: options.reader,
    };
    let trace = run_as(bytes, position, options, first);
    let mut wanted: Vec<Reading> = Vec::new();
    if trace.divergence.first().is_some() {
        wanted.extend(Reading::all(dialect));
    }
    if dialect == Dialect::C {
        // Where C gives up, `pickle.py` may go on.
        if !wanted.is_empty() || trace.error().is_some() {
            wanted.extend(Reading::all(Dialect::Python));
        }
    }
    let unanimous = trace.divergence.first().is_none();
    wanted.retain(|reading| *reading != first);
    let mut runs = Runs {
        trace,
        readings: Vec::new(),
        others: Vec::new(),
        loader,
        unread: Vec::new(),
        inner: Vec::new(),
    };
    if wanted.is_empty() {
        return runs;
    }
    let fingerprints = Fingerprints::default();
    let key = |trace: &Trace<'_>| (fingerprints.of(trace), stops(trace));
    let mut keys = Vec::new();
    let first_key = key(&runs.trace);
    if unanimous {
        runs.readings = Reading::all(dialect);
    } else {
        runs.readings.push(first);
    }
    for reading in wanted {
        let trace = run_as(bytes, position, options, reading);
        let key = key(&trace);
        if key == first_key {
            runs.readings.push(reading);
        } else if let Some(known) = keys.iter().position(|known| *known == key) {
            if let Some(other) = runs.others.get_mut(known) {
                other.readings.push(reading);
            }
        } else {
            keys.push(key);
            runs.others.push(Other {
                readings: vec![reading],
                loader,
                trace,
            });
        }
    }
    if runs.others.is_empty() {
        runs.readings.clear();
    }
    runs
}

/// At most so many streams are loaded by one unpickler.
const MAX_LOADS: usize = 100_000;

/// Runs the streams from `start` on as one unpickler that keeps its memo.
pub(super) fn run_on<'a>(bytes: &'a [u8], start: usize, options: &Options) -> Trace<'a> {
    let mut machine = Machine::new(bytes, start, options.clone());
    let mut end = machine.load();
    for _ in 0..MAX_LOADS {
        if !matches!(end, End::Stop { .. }) || machine.position() >= bytes.len() {
            break;
        }
        end = machine.load();
    }
    machine.finish(end)
}

//! Where each loader stops, and what those do that read the stream otherwise.

use pickleproof_analyzers::render::{AsWritten, Expressions};
use pickleproof_core::{
    Dialect, Effect, End, Error, Fingerprints, Machine, Options, Reading, Trace, pickletools,
};

use super::sink::EFFECT;

/// So many effects that only another reading has are shown.
const SHOWN: usize = 4;
/// Among so many effects they are looked for.
const LOOKED_AT: usize = 200;

/// What came of a stream.
pub(super) struct Summary {
    /// Highest protocol among the opcodes that were listed.
    pub(super) highest: Option<u8>,
    /// One for each dialect, then those that read it otherwise.
    pub(super) outcomes: Vec<Outcome>,
}

/// Who reads a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Loader {
    /// `_pickle`.
    C,
    /// `pickle.py`.
    Python,
    /// `pickletools.genops`.
    Genops,
    /// `pickletools.dis`.
    Dis,
    /// `_pickle` or `pickle.py` of other releases, or reading from something else.
    Other,
}

impl Loader {
    pub(super) const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::C => Self::C,
            Dialect::Python => Self::Python,
            Dialect::PickleTools => Self::Genops,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::C => "c",
            Self::Python => "python",
            Self::Genops => "pickletools",
            Self::Dis => "pickletools.dis",
            Self::Other => "other",
        }
    }
}

/// What came of a stream in a loader.
pub(super) struct Outcome {
    pub(super) loader: Loader,
    /// Who the others are, in words.
    pub(super) readers: Option<String>,
    /// Where it stopped, and at what.
    pub(super) end: Ended,
    /// Where the file stands behind the run; nobody asks that of `pickletools.dis`.
    pub(super) consumed: Option<usize>,
    /// Number of effects; pickletools has none.
    pub(super) effects: Option<usize>,
    /// A fault at which some releases stop, and behind which the run went on.
    pub(super) tolerated: Option<Error>,
    /// Some of the effects that the others have and `c` has not.
    pub(super) extra: Vec<String>,
    key: Key,
    /// Readings part ways somewhere in it.
    divergent: bool,
    /// Where readings part ways, the first effects and their offsets.
    known: Vec<(usize, String)>,
}

/// Equal for runs with the same effects that both come to the same STOP or to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Key {
    effects: u64,
    stop: Option<usize>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// At the STOP of this offset.
    Stop(usize),
    /// Before one.
    Early(End),
}

/// Takes down what comes of runs.
#[derive(Debug, Default)]
pub(super) struct Recorder(Fingerprints);

impl Recorder {
    pub(super) fn outcome(&self, dialect: Dialect, trace: &Trace<'_>) -> Outcome {
        let stop = match trace.end {
            End::Stop { offset, .. } => Some(offset),
            End::Broken(_) | End::Limit { .. } => None,
        };
        let loads = dialect != Dialect::PickleTools;
        let divergent = loads && trace.divergence.first().is_some();
        Outcome {
            loader: Loader::of(dialect),
            readers: None,
            end: stop.map_or(Ended::Early(trace.end), Ended::Stop),
            consumed: Some(trace.consumed),
            effects: loads.then_some(trace.effects.len()),
            tolerated: trace.tolerated,
            extra: Vec::new(),
            key: Key {
                effects: if divergent { self.0.of(trace) } else { 0 },
                stop,
            },
            divergent,
            known: if divergent {
                first_effects(trace)
            } else {
                Vec::new()
            },
        }
    }

    /// What comes of a stream in every loader, given what came of it in those that ran.
    pub(super) fn all(
        &self,
        bytes: &[u8],
        start: usize,
        options: &Options,
        ran: Vec<Outcome>,
    ) -> Vec<Outcome> {
        let mut outcomes = ran;
        for dialect in Dialect::ALL {
            let loader = Loader::of(dialect);
            if outcomes.iter().all(|outcome| outcome.loader != loader) {
                let options = Options {
                    dialect,
                    ..options.clone()
                };
                let trace = Machine::new(bytes, start, options).run();
                outcomes.push(self.outcome(dialect, &trace));
            }
        }
        outcomes.sort_by_key(|outcome| outcome.loader);
        outcomes.push(of_dis(bytes, start, options));
        if outcomes.iter().any(|outcome| outcome.divergent) {
            let others = self.others(bytes, start, options, &outcomes);
            outcomes.extend(others);
        }
        outcomes
    }

    /// The other ways in which the stream can be read, where they come to something else.
    fn others(
        &self,
        bytes: &[u8],
        start: usize,
        options: &Options,
        known: &[Outcome],
    ) -> Vec<Outcome> {
        let by = |loader| known.iter().find(move |outcome| outcome.loader == loader);
        let mut others: Vec<(Vec<Reading>, Outcome)> = Vec::new();
        for dialect in [Dialect::C, Dialect::Python] {
            let Some(own) = by(Loader::of(dialect)).filter(|own| own.divergent) else {
                continue;
            };
            for reading in Reading::all(dialect) {
                let options = Options {
                    dialect,
                    version: reading.version,
                    reader: reading.reader,
                    ..options.clone()
                };
                let trace = Machine::new(bytes, start, options).run();
                let mut outcome = self.outcome(dialect, &trace);
                // Its own run may not come to where readings part ways.
                outcome.key.effects = self.0.of(&trace);
                if own.key == outcome.key {
                    continue;
                }
                if let Some((readings, _)) = others
                    .iter_mut()
                    .find(|(_, other)| other.key == outcome.key)
                {
                    readings.push(reading);
                    continue;
                }
                let c = by(Loader::C).map_or(&[][..], |c| &c.known);
                outcome.extra = first_effects(&trace)
                    .into_iter()
                    .filter(|effect| !c.contains(effect))
                    .map(|(_, text)| text)
                    .take(SHOWN)
                    .collect();
                outcome.loader = Loader::Other;
                others.push((vec![reading], outcome));
            }
        }
        others
            .into_iter()
            .map(|(readings, outcome)| Outcome {
                readers: Some(Reading::describe(&readings)),
                ..outcome
            })
            .collect()
    }
}

fn first_effects(trace: &Trace<'_>) -> Vec<(usize, String)> {
    let expressions = Expressions {
        graph: &trace.graph,
        effects: &trace.effects,
        names: &AsWritten,
        room: EFFECT,
    };
    let text = |effect: &Effect| (effect.offset, expressions.effect(effect));
    trace.effects.iter().take(LOOKED_AT).map(text).collect()
}

fn of_dis(bytes: &[u8], start: usize, options: &Options) -> Outcome {
    Outcome {
        loader: Loader::Dis,
        readers: None,
        end: match pickletools::dis(bytes, start, options.version) {
            Ok(end) => Ended::Stop(end.saturating_sub(1)),
            Err(error) => Ended::Early(End::Broken(error)),
        },
        consumed: None,
        effects: None,
        tolerated: None,
        extra: Vec::new(),
        key: Key::default(),
        divergent: false,
        known: Vec::new(),
    }
}

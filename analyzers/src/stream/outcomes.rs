//! What each reading of a stream comes to, where they differ.

use std::collections::HashSet;

use pickleproof_containers::{Loader, Stream};
use pickleproof_core::pickletools::Operations;
use pickleproof_core::{Effect, End, Fingerprints, Opcode, Reading, Trace};

use crate::judgement::Evidence;
use crate::render::Renderer;
use crate::subject::{Outcome, ReaderKind};

/// So many effects of another reading are shown.
const SHOWN: usize = 3;

/// Which effects the runs of a stream have in common: by a keyed hash of all that they are.
pub(super) struct Marks {
    /// Of each effect, in each run.
    runs: Vec<Vec<u64>>,
    sets: Vec<HashSet<u64>>,
}

impl Marks {
    /// Of these runs; nobody asks where there is only one.
    pub(super) fn of(renderers: &[Renderer<'_, '_>]) -> Self {
        let fingerprints = Fingerprints::default();
        let several = renderers.len() > 1;
        let runs: Vec<Vec<u64>> = renderers
            .iter()
            .filter(|_| several)
            .map(|renderer| fingerprints.of_effects(renderer.trace))
            .collect();
        let sets = runs.iter().map(|run| run.iter().copied().collect());
        Self {
            sets: sets.collect(),
            runs,
        }
    }

    /// Whether another run has this effect of a run too.
    pub(super) fn shares(&self, run: usize, effect: usize, other: usize) -> bool {
        let mark = self.runs.get(run).and_then(|run| run.get(effect));
        let set = self.sets.get(other);
        mark.zip(set).is_some_and(|(mark, set)| set.contains(mark))
    }
}

/// What each run comes to, the reported one first; empty where everyone reads the stream the same.
pub(super) fn outcomes(
    stream: &Stream<'_>,
    renderers: &[Renderer<'_, '_>],
    marks: &Marks,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let others = stream.others.iter();
    let readers = core::iter::once((&stream.readings, stream.loader))
        .chain(others.map(|other| (&other.readings, other.loader)));
    for (index, (renderer, (readings, loader))) in renderers.iter().zip(readers).enumerate() {
        let trace = renderer.trace;
        let own: Vec<&Effect> = trace
            .effects
            .iter()
            .enumerate()
            .filter(|(effect, _)| index > 0 && !marks.shares(index, *effect, 0))
            .map(|(_, effect)| effect)
            .collect();
        let extra = own.len();
        let missing =
            index > 0 && trace.effects.len().saturating_sub(extra) < stream.trace.effects.len();
        let shown = if index == 0 {
            not_everywhere(renderers, marks)
        } else {
            own
        };
        outcomes.push(Outcome {
            readers: describe(readings, loader, index == 0),
            kind: if loader != stream.loader {
                ReaderKind::Stranger
            } else if readings.is_empty() && index > 0 {
                ReaderKind::KeepsMemo
            } else {
                ReaderKind::Loader
            },
            accepts: matches!(trace.end, End::Stop { .. }),
            end: end(trace),
            offset: end_at(trace),
            extra,
            missing,
            shown: shown
                .into_iter()
                .take(SHOWN)
                .map(|effect| Evidence {
                    offset: effect.offset as u64,
                    opcode: effect.opcode.name(),
                    note: renderer.effect(effect),
                })
                .collect(),
        });
    }
    let scanners = pickletools(&stream.trace);
    if outcomes.len() < 2 && scanners.is_none() {
        outcomes.clear();
    }
    outcomes.extend(scanners);
    outcomes
}

/// The first effects of the reported reading that another reading which comes to STOP lacks.
fn not_everywhere<'s>(renderers: &[Renderer<'s, 's>], marks: &Marks) -> Vec<&'s Effect> {
    let Some((reported, others)) = renderers.split_first() else {
        return Vec::new();
    };
    let stop =
        |(_, other): &(usize, &Renderer<'_, '_>)| matches!(other.trace.end, End::Stop { .. });
    let others: Vec<usize> = (1..).zip(others).filter(stop).map(|(run, _)| run).collect();
    let effects = reported.trace.effects.iter().enumerate();
    effects
        .filter(|(effect, _)| others.iter().any(|other| !marks.shares(0, *effect, *other)))
        .map(|(_, effect)| effect)
        .take(SHOWN)
        .collect()
}

fn describe(readings: &[Reading], loader: Loader, reported: bool) -> String {
    match (readings.is_empty(), reported) {
        (true, true) => "every loader".to_owned(),
        (true, false) => "an unpickler that has loaded the streams before".to_owned(),
        (false, _) if loader == Loader::JoblibLoad => {
            Reading::describe(readings).replace("pickle._Unpickler", loader.name())
        }
        (false, _) => Reading::describe(readings),
    }
}

fn end(trace: &Trace<'_>) -> String {
    let effects = match trace.effects.len() {
        0 => "without an effect".to_owned(),
        1 => "after 1 effect".to_owned(),
        count => format!("after {count} effects"),
    };
    match trace.end {
        End::Stop { offset, .. } => format!("stops at offset {offset} {effects}"),
        End::Broken(error) => format!("{} {effects}: {error}", error.exception.name()),
        End::Limit { which, offset } => {
            format!("the limit on {which} is hit at offset {offset} {effects}")
        }
    }
}

const fn end_at(trace: &Trace<'_>) -> usize {
    match trace.end {
        End::Stop { offset, .. } | End::Limit { offset, .. } => offset,
        End::Broken(error) => error.offset,
    }
}

/// Where scanners that stand on pickletools give up on a stream that loaders accept.
fn pickletools(trace: &Trace<'_>) -> Option<Outcome> {
    let odd = trace.divergence.pickletools.or(trace.divergence.text)?;
    let mut failed = None;
    let readings = Reading::all(pickleproof_core::Dialect::PickleTools);
    for reading in &readings {
        let mut operations = Operations::new(trace.graph.bytes(), trace.start, reading.version);
        if let Some(Err(error)) = operations.by_ref().find(Result::is_err) {
            failed.get_or_insert((error, *reading));
        }
    }
    let opcode = |offset: usize| {
        let byte = trace.graph.bytes().get(offset);
        byte.and_then(|byte| Opcode::from_byte(*byte))
            .map_or("-", Opcode::name)
    };
    let (end, offset) = match failed {
        Some((error, _)) => (format!("raises {error}"), error.offset),
        None => ("reads other names from here on".to_owned(), odd),
    };
    let evidence = Evidence {
        offset: offset as u64,
        opcode: opcode(offset),
        note: end.clone(),
    };
    Some(Outcome {
        readers: "pickletools".to_owned(),
        kind: ReaderKind::Scanner,
        accepts: failed.is_none(),
        end,
        offset,
        extra: 0,
        missing: false,
        shown: vec![evidence],
    })
}

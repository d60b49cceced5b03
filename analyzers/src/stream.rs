//! One stream, judged: its effects in every reading, its integrity, and what rules say of it.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use pickleproof_containers::{Loader, Stream};
use pickleproof_core::{End, Error, ErrorKind, LimitKind, Trace};

use crate::assess::{Assessor, Reason, SEARCH_BUDGET};
use crate::evaluate::evaluate;
use crate::findings::Findings;
use crate::judgement::{Integrity, ReadingRecord, Risk, StreamError, StreamJudgement, Trust};
use crate::meaning::Cache;
use crate::names::{Named, Names};
use crate::payload::Loads;
use crate::render::Renderer;
use crate::rules;
use crate::subject::{StreamSubject, Subject};

mod outcomes;
mod records;

use outcomes::{Marks, outcomes};

/// What a stream came to, and what was not looked at.
pub(crate) struct Judged {
    pub(crate) stream: StreamJudgement,
    pub(crate) gaps: Vec<(u64, String)>,
}

/// The names of a stream's globals, in each of its runs.
pub(crate) fn names(stream: &Stream<'_>) -> Vec<Names> {
    traces(stream)
        .map(|trace| Names::of(&trace.graph))
        .collect()
}

/// What payloads came to, by run and index of the call: how they are loaded, by whom, and their risk
/// if they were understood as a whole.
pub(crate) type Loaded = HashMap<(usize, usize), (Loads, Rc<Named>, Option<Risk>)>;

/// The run that is reported, then those of other readings.
pub(crate) fn traces<'s, 'a>(stream: &'s Stream<'a>) -> impl Iterator<Item = &'s Trace<'a>> {
    let others = stream.others.iter().map(|other| &other.trace);
    core::iter::once(&stream.trace).chain(others)
}

fn assess(trace: &Trace<'_>, names: &Names, loader: Loader) -> Vec<Reason> {
    let (cache, budget) = (Cache::default(), Cell::new(SEARCH_BUDGET));
    let results = RefCell::default();
    let assessor = Assessor {
        cache: &cache,
        results: &results,
        budget: &budget,
        trace,
        names,
        loader,
    };
    evaluate(&assessor.meanings());
    trace
        .effects
        .iter()
        .map(|effect| assessor.assess(effect))
        .collect()
}

fn worst(reasons: &[Reason]) -> Risk {
    reasons
        .iter()
        .map(Reason::risk)
        .max()
        .unwrap_or(Risk::Inert)
}

/// Calls that load payloads are as bad as what they load.
fn account_for_payloads(run: usize, reasons: &mut [Reason], loaded: &Loaded) {
    let mut accounted = false;
    for ((_, effect), (loads, named, risk)) in loaded.iter().filter(|((of, _), _)| *of == run) {
        if let Some(reason) = reasons.get_mut(*effect) {
            let harmless = *loads == Loads::Storage && risk.is_some_and(|it| it <= Risk::Trusted);
            accounted |= harmless;
            *reason = if harmless {
                Reason::Accounted
            } else {
                Reason::PayloadLoaded(named.clone(), risk.unwrap_or(Risk::Review))
            };
        }
    }
    // What is called so is no less accounted for where it is imported; another use of it has a
    // reason of its own.
    for reason in reasons.iter_mut().filter(|_| accounted) {
        if matches!(reason, Reason::DualNamed(named) if Loads::of(named) == Some(Loads::Storage)) {
            *reason = Reason::Accounted;
        }
    }
}

/// Judges a stream, whose `names` are those of [`names`]; rules add to `findings`.
pub(crate) fn judge(
    stream: &Stream<'_>,
    names: &[Names],
    loaded: &Loaded,
    location: &str,
    partial: bool,
    listed: usize,
    findings: &mut Findings,
) -> Option<Judged> {
    let trace = &stream.trace;
    let mut reasons: Vec<Vec<Reason>> = traces(stream)
        .zip(names)
        .map(|(trace, names)| assess(trace, names, stream.loader))
        .collect();
    for (run, reasons) in reasons.iter_mut().enumerate() {
        account_for_payloads(run, reasons, loaded);
    }
    let called: HashSet<String> = reasons.iter().flat_map(|reasons| called(reasons)).collect();
    let renderers: Vec<Renderer<'_, '_>> = traces(stream)
        .zip(names)
        .map(|(trace, names)| Renderer { trace, names })
        .collect();
    let (first, others) = renderers.split_first()?;
    let marks = Marks::of(&renderers);
    let outcomes = outcomes(stream, &renderers, &marks);
    // What all readings do is reported once, unless it is worse in another.
    let reported = reasons
        .first()
        .map_or(Risk::Inert, |reasons| worst(reasons));
    for (run, reasons) in reasons.iter_mut().enumerate().skip(1) {
        for (effect, reason) in reasons.iter_mut().enumerate() {
            if marks.shares(run, effect, 0) && reason.risk() <= reported {
                *reason = Reason::Accounted;
            }
        }
    }
    excuse_echoes(stream, &mut reasons);
    let integrity = integrity(trace, partial);
    let error = first_error(trace);
    findings.take_risk();
    for (index, (renderer, reasons)) in renderers.iter().zip(&reasons).enumerate() {
        let reading = outcomes.get(index).filter(|_| index > 0);
        let subject = StreamSubject {
            location,
            trace: renderer.trace,
            renderer: *renderer,
            reasons,
            called: &called,
            integrity,
            error,
            carved: stream.carved,
            reading: reading.map(|outcome| outcome.readers.as_str()),
            outcomes: &outcomes,
        };
        rules::check(&Subject::Stream(subject), findings);
    }
    let own = reasons.iter().map(|reasons| worst(reasons)).max();
    let mut risk = own.unwrap_or(Risk::Inert).max(findings.take_risk());
    if matches!(integrity, Integrity::Corrupt | Integrity::Limited) {
        risk = risk.max(Risk::Review);
    }
    let gaps = traces(stream).filter_map(|trace| match trace.end {
        End::Limit { which, offset } => Some((offset as u64, limit_text(which))),
        End::Stop { .. } | End::Broken(_) => None,
    });
    let unread = stream.unread.iter();
    let gaps = gaps.chain(unread.map(|unread| (unread.offset as u64, unread.reason.clone())));
    let readings = others
        .iter()
        .zip(reasons.iter().skip(1))
        .zip(outcomes.iter().skip(1))
        .map(|((renderer, reasons), outcome)| ReadingRecord {
            readers: outcome.readers.clone(),
            end: outcome.end.clone(),
            risk: worst(reasons),
            effects: records::effects(renderer.trace, reasons, *renderer, listed),
            effects_total: renderer.trace.effects.len() as u64,
        })
        .collect();
    let reasons = reasons.first().map_or(&[][..], Vec::as_slice);
    let judged = StreamJudgement {
        location: location.to_owned(),
        offset: trace.start as u64,
        length: end_offset(trace).saturating_sub(trace.start) as u64,
        protocol: trace.protocol,
        loader: loader_name(stream.loader),
        instructions: trace.instructions,
        risk,
        integrity,
        error: error.map(|error| StreamError {
            kind: error.kind.name(),
            python_exception: error.exception.name(),
            offset: error.offset as u64,
            message: error.to_string(),
        }),
        imports: records::imports(trace, first.names, listed),
        effects: records::effects(trace, reasons, *first, listed),
        effects_total: trace.effects.len() as u64,
        readings,
    };
    Some(Judged {
        stream: judged,
        gaps: gaps.collect(),
    })
}

/// Who takes a joblib file for a plain pickle runs the pickles inside it with a memo that is not
/// theirs, and finds names there that nobody wrote. Such a name counts where it is a dangerous one.
fn excuse_echoes(stream: &Stream<'_>, reasons: &mut [Vec<Reason>]) {
    for (other, reasons) in stream.others.iter().zip(reasons.iter_mut().skip(1)) {
        if other.loader == stream.loader {
            continue;
        }
        for (effect, reason) in other.trace.effects.iter().zip(reasons) {
            let vague = matches!(reason, Reason::ImportComputed(None));
            if (vague || reason.risk() < Risk::Suspicious) && stream.inner.contains(&effect.offset)
            {
                *reason = Reason::Accounted;
            }
        }
    }
}

const fn loader_name(loader: Loader) -> &'static str {
    loader.name()
}

fn limit_text(which: LimitKind) -> String {
    format!("the limit on {which} was reached; what follows in the stream was not run")
}

/// Offset behind the last byte that was understood.
fn end_offset(trace: &Trace<'_>) -> usize {
    match trace.end {
        End::Stop { .. } => trace.consumed,
        End::Broken(error) => error.offset,
        End::Limit { offset, .. } => offset,
    }
}

/// The globals whose calls a rule reports.
fn called(reasons: &[Reason]) -> HashSet<String> {
    let mut called = HashSet::new();
    for reason in reasons {
        if let Reason::SinkCalled(named)
        | Reason::DualCalled(named)
        | Reason::PayloadLoaded(named, _)
        | Reason::UnknownCalled(named) = reason
        {
            let shown = named.shown();
            if !called.contains(&shown) {
                called.insert(shown);
            }
        }
    }
    called
}

/// What a loader makes of the stream: the first that gives up decides.
fn integrity(trace: &Trace<'_>, partial: bool) -> Integrity {
    if let End::Limit { .. } = trace.end {
        return Integrity::Limited;
    }
    match first_error(trace) {
        None => Integrity::Complete,
        Some(error) => match error.kind {
            ErrorKind::EndOfInput
            | ErrorKind::Truncated
            | ErrorKind::UnterminatedLine
            | ErrorKind::ShortFrame
            | ErrorKind::ShortData => Integrity::Truncated,
            _ if partial && error.offset >= trace.graph.bytes().len() => Integrity::Truncated,
            _ => Integrity::Corrupt,
        },
    }
}

/// The first error at which a release gives up.
fn first_error(trace: &Trace<'_>) -> Option<Error> {
    [trace.tolerated, trace.error()]
        .into_iter()
        .flatten()
        .min_by_key(|error| error.offset)
}

/// Whether text that only seems to import does import something that exists.
pub(crate) fn imports_something_known(names: &[Names]) -> bool {
    names
        .iter()
        .flat_map(Names::all)
        .any(|named| named.trust() != Trust::Unknown)
}

//! One stream, judged: its effects, its integrity, and what rules say of it.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt::Write as _;

use pickleproof_containers::{Loader, Stream};
use pickleproof_core::{End, Error, ErrorKind, LimitKind, Trace};

use crate::assess::{Assessor, Reason, SEARCH_BUDGET};
use crate::findings::Findings;
use crate::judgement::{
    EffectRecord, ImportRecord, Integrity, Risk, StreamError, StreamJudgement, Trust,
};
use crate::meaning::Cache;
use crate::names::Names;
use crate::render::Renderer;
use crate::rules;
use crate::subject::{StreamSubject, Subject};

/// What a stream came to, and what was not looked at.
pub(crate) struct Judged {
    pub(crate) stream: StreamJudgement,
    pub(crate) gap: Option<(u64, String)>,
}

/// Judges a stream; rules add to `findings`.
pub(crate) fn judge(
    stream: &Stream<'_>,
    names: &Names,
    location: &str,
    partial: bool,
    listed: usize,
    findings: &mut Findings,
) -> Judged {
    let trace = &stream.trace;
    let (cache, budget) = (Cache::default(), Cell::new(SEARCH_BUDGET));
    let assessor = Assessor {
        cache: &cache,
        budget: &budget,
        trace,
        names,
        loader: stream.loader,
    };
    let reasons: Vec<Reason> = trace
        .effects
        .iter()
        .map(|effect| assessor.assess(effect))
        .collect();
    let renderer = Renderer { trace, names };
    let integrity = integrity(stream, partial);
    let error = first_error(stream);
    findings.take_risk();
    let subject = StreamSubject {
        location,
        trace,
        renderer,
        reasons: &reasons,
        called: called(&reasons),
        integrity,
        error,
        carved: stream.carved,
    };
    rules::check(&Subject::Stream(subject), findings);
    let mut risk = reasons
        .iter()
        .map(Reason::risk)
        .max()
        .unwrap_or(Risk::Inert);
    risk = risk.max(findings.take_risk());
    if matches!(integrity, Integrity::Corrupt | Integrity::Limited) {
        risk = risk.max(Risk::Review);
    }
    let length = end_offset(trace).saturating_sub(trace.start);
    let gap = match trace.end {
        End::Limit { which, offset } => Some((offset as u64, limit_text(which))),
        End::Stop { .. } | End::Broken(_) => None,
    };
    let stream = StreamJudgement {
        location: location.to_owned(),
        offset: trace.start as u64,
        length: length as u64,
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
        imports: imports(trace, names, listed),
        effects: effects(trace, &reasons, renderer, listed),
        effects_total: trace.effects.len() as u64,
    };
    Judged { stream, gap }
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
fn integrity(stream: &Stream<'_>, partial: bool) -> Integrity {
    let trace = &stream.trace;
    if let End::Limit { .. } = trace.end {
        return Integrity::Limited;
    }
    match first_error(stream) {
        None => Integrity::Complete,
        Some(error) => match error.kind {
            ErrorKind::EndOfInput
            | ErrorKind::Truncated
            | ErrorKind::UnterminatedLine
            | ErrorKind::ShortFrame => Integrity::Truncated,
            _ if partial && error.offset >= trace.graph.bytes().len() => Integrity::Truncated,
            _ => Integrity::Corrupt,
        },
    }
}

/// The first error that any of the loaders raises.
fn first_error(stream: &Stream<'_>) -> Option<Error> {
    let errors = [
        stream.rejected,
        stream.trace.tolerated,
        stream.trace.error(),
    ];
    errors
        .into_iter()
        .flatten()
        .min_by_key(|error| error.offset)
}

fn imports(trace: &Trace<'_>, names: &Names, listed: usize) -> Vec<ImportRecord> {
    trace
        .graph
        .globals()
        .iter()
        .zip(names.all())
        .take(listed)
        .map(|(global, named)| ImportRecord {
            module: shown(&global.module),
            name: shown(&global.name),
            offset: global.offset as u64,
            trust: named.trust(),
            capabilities: named.capabilities(),
        })
        .collect()
}

/// Text of a name; bytes that are none show as escapes, and no name fills a report.
fn shown(name: &[u8]) -> String {
    const MAX: usize = 1024;
    let mut text = String::new();
    for chunk in name.get(..MAX).unwrap_or(name).utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    if name.len() > MAX {
        let _ = write!(text, "… ({} bytes)", name.len());
    }
    text
}

/// The first effects, and those further on that are not accounted for.
fn effects(
    trace: &Trace<'_>,
    reasons: &[Reason],
    renderer: Renderer<'_, '_>,
    listed: usize,
) -> Vec<EffectRecord> {
    let mut later = 0_usize;
    let mut records = Vec::new();
    for (index, (effect, reason)) in trace.effects.iter().zip(reasons).enumerate() {
        let risk = reason.risk();
        if index >= listed {
            if risk <= Risk::Trusted {
                continue;
            }
            later = later.saturating_add(1);
            if later > listed {
                break;
            }
        }
        records.push(EffectRecord {
            kind: kind_name(&effect.kind),
            offset: effect.offset as u64,
            opcode: effect.opcode.name(),
            text: renderer.effect(effect),
            risk,
        });
    }
    records
}

const fn kind_name(kind: &pickleproof_core::EffectKind) -> &'static str {
    use pickleproof_core::EffectKind;
    match kind {
        EffectKind::Import { .. } => "import",
        EffectKind::Call { .. } => "call",
        EffectKind::Build { .. } => "build",
        EffectKind::SetItem { .. } => "setitem",
        EffectKind::Append { .. } => "append",
        EffectKind::Extend { .. } => "extend",
        EffectKind::Add { .. } => "add",
        EffectKind::PersistentLoad { .. } => "persistent_load",
        EffectKind::Extension { .. } => "extension",
        EffectKind::Buffer { .. } => "buffer",
    }
}

/// Whether text that only seems to import does import something that exists.
pub(crate) fn imports_something_known(names: &Names) -> bool {
    names
        .all()
        .iter()
        .any(|named| named.trust() != Trust::Unknown)
}

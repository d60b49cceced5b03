//! Runs of loaders that know nothing of joblib, and take its arrays for instructions.

use pickleproof_core::{Effect, EffectKind, Graph, Trace, Value};

use super::super::{is_dotted_name, readings::Runs};

/// Whether a run does something of its own with what joblib reads as data. Random bytes break it, or
/// name what nothing is called; and what it does with the `inner` pickles those do by themselves.
pub(super) fn acts_on_data(trace: &Trace<'_>, parting: Option<usize>, inner: &[Runs<'_>]) -> bool {
    let from = parting.unwrap_or(0);
    let behind = || {
        trace
            .effects
            .iter()
            .filter(move |effect| effect.offset >= from)
    };
    let stops = super::stops(trace);
    behind().any(|effect| {
        let plausible = match effect.kind {
            EffectKind::Import { global, .. } => {
                let global = trace.graph.global_of(global);
                stops
                    || global.is_some_and(|global| {
                        is_dotted_name(&global.module) && is_dotted_name(&global.name)
                    })
            }
            _ => true,
        };
        plausible && !has(inner, &trace.graph, effect)
    })
}

/// Whether an inner run has this effect too, of a global of the same name or an object from the same
/// place.
fn has(inner: &[Runs<'_>], graph: &Graph<'_>, effect: &Effect) -> bool {
    let behind = inner.partition_point(|runs| runs.trace.start <= effect.offset);
    let around = behind.checked_sub(1).and_then(|index| inner.get(index));
    let Some(inner) = around.map(|runs| &runs.trace) else {
        return false;
    };
    let first = inner
        .effects
        .partition_point(|known| known.offset < effect.offset);
    let at = inner.effects.get(first..).unwrap_or_default();
    at.iter()
        .take_while(|known| known.offset == effect.offset)
        .any(|known| {
            known.opcode == effect.opcode
                && subject(&inner.graph, &known.kind) == subject(graph, &effect.kind)
        })
}

/// What an effect acts on, in a form that graphs have in common.
#[derive(PartialEq, Eq)]
enum Subject<'g> {
    Named(&'g [u8], &'g [u8]),
    Made(Option<usize>),
}

fn subject<'g>(graph: &'g Graph<'_>, kind: &EffectKind) -> Subject<'g> {
    let of = |value: Value| match graph.global(value) {
        Some(global) => Subject::Named(&global.module, &global.name),
        None => Subject::Made(graph.offset(value)),
    };
    match *kind {
        EffectKind::Import { global, .. } => of(graph.global_value(global)),
        EffectKind::Call { callable, .. } => of(callable),
        EffectKind::ComputedImport { object, .. }
        | EffectKind::Build { object, .. }
        | EffectKind::SetItem { object, .. }
        | EffectKind::Append { object, .. }
        | EffectKind::Extend { object, .. }
        | EffectKind::Add { object, .. }
        | EffectKind::PersistentLoad { object, .. }
        | EffectKind::Extension { object, .. }
        | EffectKind::Buffer { object } => of(object),
    }
}

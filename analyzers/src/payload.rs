//! Bytes that a stream gives to something that loads them: streams of their own, to be judged by what
//! they do.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use pickleproof_core::{Effect, EffectKind, Trace, Value, ValueKind};

use crate::evaluate::{Known, evaluate};
use crate::meaning::{Meaning, Meanings};
use crate::names::{Named, Names};

/// Bytes, and the call that loads them.
pub(crate) struct Payload<'a> {
    /// Index of the call among the effects.
    pub(crate) effect: usize,
    /// The bytes.
    pub(crate) bytes: Cow<'a, [u8]>,
    /// How they are loaded.
    pub(crate) loads: Loads,
    /// Who loads them.
    pub(crate) named: Rc<Named>,
}

/// What kind of callable loads a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loads {
    /// `pickle.loads` and its kin.
    Pickle,
    /// `torch.storage._load_from_bytes`, which torch itself writes for the storage of a tensor.
    Storage,
}

impl Loads {
    /// How a global loads bytes, if it does.
    pub(crate) fn of(named: &Named) -> Option<Self> {
        if named.is("torch.storage", "_load_from_bytes") {
            return Some(Self::Storage);
        }
        let last = named.module.rsplit('.').next().unwrap_or_default();
        let pickles = last.contains("pickle") || last.contains("dill");
        let loads = matches!(named.name.as_str(), "loads" | "_loads");
        (pickles && loads).then_some(Self::Pickle)
    }
}

/// The payloads of a run, in the order of the calls that load them.
pub(crate) fn payloads<'a>(trace: &Trace<'a>, names: &Names) -> Vec<Payload<'a>> {
    let any = names.all().iter().any(|named| Loads::of(named).is_some());
    if !any {
        return Vec::new();
    }
    let (cache, results) = (RefCell::default(), RefCell::default());
    let meanings = Meanings {
        trace,
        names,
        cache: &cache,
        results: &results,
    };
    evaluate(&meanings);
    let effects = trace.effects.iter().enumerate();
    effects
        .filter_map(|(effect, call)| {
            let (by, bytes) = payload(&meanings, call)?;
            Some(Payload {
                effect,
                bytes,
                loads: Loads::of(&by)?,
                named: by,
            })
        })
        .collect()
}

fn payload<'a>(meanings: &Meanings<'_, 'a>, effect: &Effect) -> Option<(Rc<Named>, Cow<'a, [u8]>)> {
    let EffectKind::Call {
        callable,
        arguments,
        ..
    } = effect.kind
    else {
        return None;
    };
    let Meaning::Global(named) = meanings.of(callable) else {
        return None;
    };
    Loads::of(&named)?;
    let first = meanings.trace.graph.items(arguments).next()?;
    Some((named, bytes_of(meanings, first)?))
}

/// The bytes that a value is: a literal, what protocols 0 to 2 write for one, or what was computed.
fn bytes_of<'a>(meanings: &Meanings<'_, 'a>, value: Value) -> Option<Cow<'a, [u8]>> {
    let graph = &meanings.trace.graph;
    match value.kind() {
        ValueKind::Bytes => graph.byte_string(value),
        ValueKind::Object => match latin1(meanings, value) {
            Some(bytes) => Some(Cow::Owned(bytes)),
            None => match meanings.results.borrow().known.get(&value)? {
                Known::Bytes(bytes) => Some(Cow::Owned(bytes.clone())),
                _ => None,
            },
        },
        _ => None,
    }
}

/// `_codecs.encode(text, 'latin1')`, of any length.
fn latin1(meanings: &Meanings<'_, '_>, value: Value) -> Option<Vec<u8>> {
    let trace = meanings.trace;
    let birth = trace.effects.get(trace.graph.birth(value)?)?;
    let EffectKind::Call {
        callable,
        arguments,
        ..
    } = birth.kind
    else {
        return None;
    };
    let named = meanings.names.get(trace.graph.global_id(callable)?)?;
    if !named.is("_codecs", "encode") {
        return None;
    }
    let mut arguments = trace.graph.items(arguments);
    let text = trace.graph.text(arguments.next()?)?;
    let encoding = trace.graph.text(arguments.next()?)?;
    if !matches!(encoding.as_ref(), b"latin1" | b"latin-1" | b"iso-8859-1") {
        return None;
    }
    let text = core::str::from_utf8(&text).ok()?;
    text.chars()
        .map(|character| u8::try_from(u32::from(character)).ok())
        .collect()
}

//! What rules look at: a stream that was run, or what a container is like.

use std::collections::HashSet;

use pickleproof_containers::Difference;
use pickleproof_core::{Effect, EffectKind, Error, Trace, Value};

use crate::assess::Reason;
use crate::judgement::{Evidence, Integrity};
use crate::names::Named;
use crate::render::Renderer;

/// Something that rules look at.
#[derive(Debug)]
pub(crate) enum Subject<'s> {
    /// A stream that was run.
    Stream(StreamSubject<'s>),
    /// Bytes behind the last stream of a member.
    Trailing {
        location: &'s str,
        offset: usize,
        length: usize,
    },
    /// Views of a container that disagree.
    Difference {
        location: &'s str,
        offset: u64,
        difference: &'s Difference,
    },
}

/// A stream that was run, its effects judged.
#[derive(Debug)]
pub(crate) struct StreamSubject<'s> {
    pub(crate) location: &'s str,
    pub(crate) trace: &'s Trace<'s>,
    pub(crate) renderer: Renderer<'s, 's>,
    /// Why each effect is judged as it is.
    pub(crate) reasons: &'s [Reason],
    /// The globals whose calls a rule reports.
    pub(crate) called: &'s HashSet<String>,
    pub(crate) integrity: Integrity,
    /// The first error that a loader raises.
    pub(crate) error: Option<Error>,
    pub(crate) carved: bool,
    /// Who reads it so, where that is not the reading that is reported: only what it alone does is
    /// looked at then.
    pub(crate) reading: Option<&'s str>,
    /// What every reading comes to, the reported one first; empty where all agree.
    pub(crate) outcomes: &'s [Outcome],
}

/// What a reading of a stream comes to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Who reads it so.
    pub(crate) readers: String,
    /// What kind of reader they are.
    pub(crate) kind: ReaderKind,
    /// It comes to STOP.
    pub(crate) accepts: bool,
    /// How it ends, in words.
    pub(crate) end: String,
    /// Where it ends.
    pub(crate) offset: usize,
    /// Number of effects that the reported reading does not have.
    pub(crate) extra: usize,
    /// It lacks effects that the reported reading has.
    pub(crate) missing: bool,
    /// The first of its own effects.
    pub(crate) shown: Vec<Evidence>,
}

/// What kind of reader a reading is that of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReaderKind {
    /// A loader that begins with this stream.
    Loader,
    /// A loader that takes the stream for another kind than it is.
    Stranger,
    /// An unpickler that has the memo of the streams before.
    KeepsMemo,
    /// A scanner that decodes and runs nothing.
    Scanner,
}

impl StreamSubject<'_> {
    /// Each effect with its reason.
    pub(crate) fn judged(&self) -> impl Iterator<Item = (&Effect, &Reason)> {
        self.trace.effects.iter().zip(self.reasons)
    }

    /// An effect as evidence.
    pub(crate) fn evidence(&self, effect: &Effect) -> Evidence {
        Evidence {
            offset: effect.offset as u64,
            opcode: effect.opcode.name(),
            note: self.renderer.effect(effect),
        }
    }

    /// How an effect came about: the imports of what it calls, then the effect itself.
    pub(crate) fn path_to(&self, effect: &Effect) -> Vec<Evidence> {
        let mut evidence = Vec::new();
        if let EffectKind::Call { callable, .. } = effect.kind {
            self.origin(callable, &mut evidence);
        }
        evidence.push(self.evidence(effect));
        evidence
    }

    /// The effects that made a value, the first of them first.
    fn origin(&self, value: Value, evidence: &mut Vec<Evidence>) {
        const MAX_STEPS: usize = 8;
        let mut next = Some(value);
        let mut steps = Vec::new();
        while let Some(value) = next {
            let effect = self
                .trace
                .graph
                .birth(value)
                .and_then(|index| self.trace.effects.get(index));
            let Some(effect) = effect else { break };
            steps.push(self.evidence(effect));
            if let EffectKind::Import {
                operands: Some((module, name)),
                ..
            } = effect.kind
            {
                for operand in [name, module] {
                    steps.extend(self.literal(operand));
                }
            }
            if steps.len() >= MAX_STEPS {
                break;
            }
            next = match effect.kind {
                EffectKind::Call { callable, .. } => Some(callable),
                _ => None,
            };
        }
        evidence.extend(steps.into_iter().rev());
    }

    fn literal(&self, value: Value) -> Option<Evidence> {
        let offset = self.trace.graph.offset(value)?;
        let byte = self.trace.graph.bytes().get(offset)?;
        Some(Evidence {
            offset: offset as u64,
            opcode: pickleproof_core::Opcode::from_byte(*byte)?.name(),
            note: format!("pushes {}", self.renderer.expression(value)),
        })
    }

    /// Number of bytes from an effect's opcode to the end of its instruction.
    pub(crate) fn length(&self, effect: &Effect) -> u64 {
        let bytes = self.trace.graph.bytes();
        let (dialect, version) = (
            pickleproof_core::Dialect::C,
            pickleproof_core::Version::CLASSIC,
        );
        let instruction =
            pickleproof_core::Decoder::new(bytes, effect.offset, dialect, version).read();
        instruction.map_or(1, |instruction| {
            instruction.end.saturating_sub(instruction.offset) as u64
        })
    }

    /// Whether the same global is also called in a way that another rule reports.
    pub(crate) fn is_called(&self, named: &Named) -> bool {
        self.called.contains(&named.shown())
    }
}

//! What a listing consists of, and who writes it.

use std::collections::VecDeque;
use std::io;

use pickleproof_analyzers::render::{AsWritten, Expressions, Room};
use pickleproof_containers::Loader;
use pickleproof_core::{Dialect, Effect, End, Instruction, LimitKind, Machine, Value};

use super::operand::Argument;
use super::summary::Summary;

/// How much of an effect is shown. There may be millions, each with the same long text.
pub(super) const EFFECT: Room = Room {
    literal: 1 << 14,
    ..Room::WIDE
};

/// At most so many entries of the stack and of the memo are shown.
const ENTRIES: usize = 8;

/// Takes the parts of a listing, in order.
pub(super) trait Sink {
    /// A stream begins.
    fn head(&mut self, head: &Head<'_>) -> io::Result<()>;
    /// An instruction.
    fn step(&mut self, step: &Step<'_, '_>) -> io::Result<()>;
    /// A loader gives up, or nothing more can be decoded.
    fn turn(&mut self, turn: &Turn) -> io::Result<()>;
    /// The stream is over.
    fn summary(&mut self, summary: &Summary) -> io::Result<()>;
    /// Something that is no stream.
    fn note(&mut self, note: &Note<'_>) -> io::Result<()>;
}

/// Where a stream stands.
pub(super) struct Head<'h> {
    pub(super) location: &'h str,
    pub(super) offset: usize,
    /// Who would load it, if that is known.
    pub(super) loader: Option<Loader>,
    /// No loader gets there by itself.
    pub(super) carved: bool,
    /// Text can read like it by chance.
    pub(super) weak: bool,
}

/// Something to know about bytes that are not listed.
pub(super) struct Note<'n> {
    pub(super) location: &'n str,
    pub(super) offset: u64,
    pub(super) text: &'n str,
}

/// An instruction, and what it did.
pub(super) struct Step<'s, 'a> {
    pub(super) instruction: Instruction<'a>,
    /// The operand as pickletools decodes it, or else as the loader does.
    pub(super) operand: Option<Argument<'a>>,
    /// The operand as the loader reads it, where that is something else.
    pub(super) read_as: Option<Argument<'a>>,
    /// Number of marks that were open before it.
    pub(super) marks: usize,
    /// Offset of the mark that it takes.
    pub(super) mark: Option<usize>,
    /// What ran it; none for an instruction that was only decoded.
    pub(super) run: Option<Ran<'s, 'a>>,
}

/// The state behind an instruction.
pub(super) struct Ran<'s, 'a> {
    pub(super) machine: &'s Machine<'a>,
    pub(super) dialect: Dialect,
    /// It raised an exception, or was not run to its end.
    pub(super) failed: bool,
    /// The effects that it had.
    pub(super) effects: &'s [Effect],
    /// The memo's index that it wrote.
    pub(super) written: Option<u64>,
    /// The memo's indices that were written last, the newest first.
    pub(super) recent: &'s VecDeque<u64>,
}

/// An entry of the stack.
pub(super) enum Entry {
    Mark,
    Object(Value),
}

impl<'s, 'a> Ran<'s, 'a> {
    pub(super) fn renderer(&self, room: Room) -> Expressions<'s, 'a> {
        Expressions {
            graph: self.machine.graph(),
            effects: self.machine.effects(),
            names: &AsWritten,
            room,
        }
    }

    /// The topmost entries of the stack, the top last, and how many there are below them.
    pub(super) fn stack(&self) -> (Vec<Entry>, usize) {
        let (stack, marks) = (self.machine.stack(), self.machine.marks());
        let total = stack.len().saturating_add(marks.len());
        let mut entries = Vec::new();
        let mut marks = marks.iter().rev().peekable();
        let mut height = stack.len();
        while entries.len() < ENTRIES {
            if marks.next_if(|mark| **mark >= height).is_some() {
                entries.push(Entry::Mark);
                continue;
            }
            let Some(below) = height.checked_sub(1) else {
                break;
            };
            height = below;
            if let Some(value) = stack.get(height) {
                entries.push(Entry::Object(*value));
            }
        }
        entries.reverse();
        let more = total.saturating_sub(entries.len());
        (entries, more)
    }

    /// The entries of the memo that were written last, the newest first, and how many others there
    /// are.
    pub(super) fn memo(&self) -> (Vec<(u64, Value)>, u64) {
        let entries: Vec<(u64, Value)> = self
            .recent
            .iter()
            .take(ENTRIES)
            .filter_map(|index| Some((*index, self.machine.memo_entry(*index)?)))
            .collect();
        let more = self.machine.memo_len().saturating_sub(entries.len() as u64);
        (entries, more)
    }
}

/// Takes note of a memo's index that was written.
pub(super) fn remember(recent: &mut VecDeque<u64>, index: u64) {
    recent.retain(|other| *other != index);
    recent.push_front(index);
    recent.truncate(ENTRIES);
}

/// Why a listing does not go on as before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// Whose run ended; none where nothing was run any more.
    pub(super) dialect: Option<Dialect>,
    /// Where, and why.
    pub(super) why: Why,
    /// How the listing goes on.
    pub(super) next: Next,
}

/// Why a run ended before STOP.
#[derive(Debug, Clone, Copy)]
pub(super) enum Why {
    Error(pickleproof_core::Error),
    Limit(LimitKind, usize),
}

impl Why {
    /// `None` for a run that reached STOP.
    pub(super) const fn of(end: End) -> Option<Self> {
        match end {
            End::Stop { .. } => None,
            End::Broken(error) => Some(Self::Error(error)),
            End::Limit { which, offset } => Some(Self::Limit(which, offset)),
        }
    }

    pub(super) const fn offset(self) -> usize {
        match self {
            Self::Error(error) => error.offset,
            Self::Limit(_, offset) => offset,
        }
    }
}

/// How a listing goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// This dialect's loader runs the instruction, and what follows.
    Run(Dialect),
    /// What follows is decoded, and not run.
    Decode,
    /// Not at all: it was STOP.
    End,
    /// Not at all: what follows is no instruction.
    Nothing,
}

//! The pickle streams in a member's bytes: where they begin, and how sure it is that they are any.
//!
//! Nothing in a file says that it is a pickle: protocol 0 has no header, and every text begins with
//! some bytes that happen to be opcodes. So the machine runs the bytes, and what it found decides.

use std::collections::{BTreeSet, HashSet};

use memchr::memmem;
use pickleproof_core::{EffectKind, End, ErrorKind, Opcode, Options, Reading, Trace, ValueKind};

use crate::{FormatKind, Loader, Member};

mod joblib;
mod readings;

pub use joblib::Unread;
pub use readings::Other;
use readings::{Runs, run, run_on, stops};

/// How sure it is that bytes are meant as a pickle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// It only imports, then breaks: text can do that by chance. Who knows the globals decides.
    Weak,
    /// It is one, or does what only one does.
    Strong,
}

/// A stream that was found and run.
#[derive(Debug)]
pub struct Stream<'a> {
    /// The run, as `_pickle` of the releases before 3.13.15 reads the stream from memory; for joblib
    /// as `pickle.py` does.
    pub trace: Trace<'a>,
    /// Who else reads it so; empty for everyone.
    pub readings: Vec<Reading>,
    /// The runs of those who read it otherwise.
    pub others: Vec<Other<'a>>,
    /// How sure it is that it is a stream.
    pub strength: Strength,
    /// It follows neither the member's start nor another stream: a loader would have to seek.
    pub carved: bool,
    /// Who would load it.
    pub loader: Loader,
    /// What the loader would read beside it, and was not looked at.
    pub unread: Vec<Unread>,
    /// Offsets of the effects of the streams inside this one, which are handed out next.
    pub inner: BTreeSet<usize>,
}

/// What is known of a member after its streams were run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// Number of streams handed out.
    pub streams: u64,
    /// Where bytes begin that belong to no stream, if streams were found and such bytes are there.
    pub trailing: Option<usize>,
    /// The streams are those of `torch.save` before PyTorch 1.6, and storages follow them.
    pub torch_legacy: bool,
    /// Offset from which on streams were not looked for any more, because there were too many.
    pub unread: Option<usize>,
}

/// At most so many streams of one member are run.
const MAX_STREAMS: u64 = 100_000;

/// At most so many places of a member are looked at for one.
const MAX_VISITED: u64 = 1_000_000;

/// So much of what follows the streams, or of unknown data, is searched for the head of another.
const CARVED_BYTES: usize = 1 << 20;

/// At most so many instructions are run at each head that is tried, and so many heads are tried.
const CARVED_INSTRUCTIONS: u64 = 100_000;
const CARVED_HEADS: usize = 20_000;

/// At most so many instructions are run at all heads of a member together.
const CARVED_BUDGET: u64 = 4_000_000;

/// So many streams of plain data in a row are streams, whatever follows.
const MAX_HELD: usize = 10_000;

/// A member inside an archive is a broken pickle only if so many instructions ran: tensors are
/// random enough to begin like one.
const CONVINCING_INSTRUCTIONS: u64 = 8;

/// `torch.serialization.MAGIC_NUMBER`, the first stream of a legacy file.
const TORCH_MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const TORCH_LEGACY_STREAMS: u64 = 5;

/// Runs every stream of a member, in order, and hands each to `take`.
pub fn streams<'a>(
    member: &Member<'a>,
    options: &Options,
    take: &mut dyn FnMut(Stream<'a>),
) -> Found {
    let mut search = Search {
        member,
        options,
        found: Found::default(),
        held: Vec::new(),
        chain: None,
        starts: BTreeSet::new(),
        visited: HashSet::new(),
        in_line: 0,
        budget: CARVED_BUDGET,
    };
    search.run(take);
    search.found
}

struct Search<'m, 'a> {
    member: &'m Member<'a>,
    options: &'m Options,
    found: Found,
    /// Data-only streams that count only if more follows.
    held: Vec<Runs<'a>>,
    /// Where the streams begin that follow each other up to here, if a stream may still ask for the
    /// memo of one before it.
    chain: Option<usize>,
    /// Where a second load of the file begins for some readers and not for others.
    starts: BTreeSet<usize>,
    /// Where streams were run.
    visited: HashSet<usize>,
    /// Number of streams handed out that follow each other from the start.
    in_line: u64,
    /// Instructions that may still be run at heads that are only tried.
    budget: u64,
}

/// What a run says about the bytes, the most first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    Strong,
    Weak,
    /// A complete stream of plain data in front of other bytes: any two letters can be that.
    Slight,
    Nothing,
}

impl<'a> Search<'_, 'a> {
    fn run(&mut self, take: &mut dyn FnMut(Stream<'a>)) {
        let bytes = self.member.bytes;
        let mut position = 0;
        let mut carved = false;
        while position < bytes.len() {
            if self.found.streams >= MAX_STREAMS {
                self.found.unread = Some(position);
                return;
            }
            self.take_skipped_start(position, take);
            self.visited.insert(position);
            let runs = self.run_at(position, self.options);
            let runs = self.with_memo(runs, position);
            self.note_starts(&runs);
            let next = runs.next();
            let behind = runs.trace.consumed;
            let evidence = self.weigh(&runs, position);
            let found = matches!(evidence, Evidence::Strong | Evidence::Weak);
            match evidence {
                Evidence::Strong => {
                    self.release(take);
                    self.in_line = self.in_line.saturating_add(1);
                    self.hand_out(runs, (Strength::Strong, carved), take);
                }
                Evidence::Weak => {
                    self.release(take);
                    self.hand_out(runs, (Strength::Weak, carved), take);
                }
                Evidence::Slight => {
                    self.held.push(runs);
                    if self.held.len() >= MAX_HELD {
                        self.release(take);
                    }
                }
                Evidence::Nothing => {}
            }
            if let Some(next) = next.filter(|next| *next > position) {
                self.chain.get_or_insert(position);
                position = next;
                carved = false;
                if self.found.torch_legacy && self.in_line >= TORCH_LEGACY_STREAMS {
                    return;
                }
                continue;
            }
            self.chain = None;
            if found {
                // The stream is broken: what follows the break is looked at for another one.
                position = behind.max(position.saturating_add(1));
            }
            match self.next_head(position) {
                Some(head) => {
                    position = head;
                    carved = true;
                }
                None => break,
            }
        }
        self.take_skipped_start(bytes.len(), take);
        if self.found.streams > 0 && position < bytes.len() && !self.found.torch_legacy {
            self.found.trailing = Some(position);
        }
    }

    fn run_at(&self, position: usize, options: &Options) -> Runs<'a> {
        run(self.member.bytes, position, options, self.member.loader)
    }

    /// Readers that lose what is left of a frame begin to read behind it, and those that find another
    /// end behind that.
    fn note_starts(&mut self, runs: &Runs<'a>) {
        let next = runs.next();
        for trace in runs.own_traces().filter(|trace| stops(trace)) {
            let starts = [Some(trace.consumed), trace.frame_end];
            let other = starts
                .into_iter()
                .flatten()
                .filter(|start| Some(*start) != next);
            self.starts.extend(other);
        }
    }

    /// Hands out the streams at starts before `position` that the search has run past.
    fn take_skipped_start(&mut self, position: usize, take: &mut dyn FnMut(Stream<'a>)) {
        self.starts.remove(&position);
        while let Some(start) = self
            .starts
            .first()
            .copied()
            .filter(|start| *start < position)
        {
            self.starts.remove(&start);
            if start >= self.member.bytes.len() || !self.visited.insert(start) {
                continue;
            }
            if self.found.streams >= MAX_STREAMS || self.visited.len() as u64 > MAX_VISITED {
                self.found.unread.get_or_insert(start);
                return;
            }
            let runs = self.run_at(start, self.options);
            self.note_starts(&runs);
            // What follows is run in its turn, whatever this one is.
            self.starts.extend(runs.next());
            if let Evidence::Strong = self.weigh(&runs, start) {
                self.hand_out(runs, (Strength::Strong, false), take);
            }
        }
    }

    /// Adds the run of an unpickler that still has the memo of the streams before, where this one
    /// asks for it.
    fn with_memo(&mut self, mut runs: Runs<'a>, position: usize) -> Runs<'a> {
        let error = runs.trace.error();
        if error.is_some_and(|error| error.kind == ErrorKind::MissingMemo)
            && let Some(start) = self.chain.take()
        {
            let trace = run_on(self.member.bytes, start, self.options);
            if trace
                .effects
                .last()
                .is_some_and(|last| last.offset >= position)
            {
                runs.others.push(Other {
                    readings: Vec::new(),
                    loader: runs.loader,
                    trace,
                });
            }
        }
        runs
    }

    /// What the reading says that finds most.
    fn weigh(&self, runs: &Runs<'_>, position: usize) -> Evidence {
        runs.traces()
            .map(|trace| self.weigh_trace(trace, position))
            .min()
            .unwrap_or(Evidence::Nothing)
    }

    fn weigh_trace(&self, trace: &Trace<'_>, position: usize) -> Evidence {
        let bytes = self.member.bytes;
        let declared = bytes.get(position) == Some(&Opcode::Proto.byte())
            && bytes
                .get(position.saturating_add(1))
                .is_some_and(|protocol| *protocol <= 5);
        let imports = trace
            .effects
            .iter()
            .any(|effect| matches!(effect.kind, EffectKind::Import { .. }));
        let acts = trace.effects.iter().any(|effect| acts(&effect.kind));
        match trace.end {
            End::Limit { .. } => Evidence::Strong,
            End::Stop { .. } => {
                let whole = trace.consumed == bytes.len();
                let long = trace.instructions >= CONVINCING_INSTRUCTIONS;
                let names = !trace.effects.is_empty() && !self.is_storage();
                if declared
                    || acts
                    || names
                    || (whole && trace.instructions > 1)
                    || (long && self.follows())
                {
                    Evidence::Strong
                } else {
                    Evidence::Slight
                }
            }
            End::Broken(_) if acts => Evidence::Strong,
            End::Broken(error) => {
                let begun = trace.instructions
                    >= if self.member.top {
                        2
                    } else {
                        CONVINCING_INSTRUCTIONS
                    };
                let cut = matches!(
                    error.kind,
                    ErrorKind::EndOfInput | ErrorKind::Truncated | ErrorKind::UnterminatedLine
                );
                // Text that is a run of sound instructions to its very end was meant as one.
                let cut_off =
                    cut && self.member.top && trace.instructions >= CONVINCING_INSTRUCTIONS;
                if cut_off {
                    return Evidence::Strong;
                }
                if declared && (begun || (cut && self.member.top)) {
                    Evidence::Strong
                } else if imports && !self.is_storage() && plausible_imports(trace) {
                    Evidence::Weak
                } else {
                    Evidence::Nothing
                }
            }
        }
    }

    /// Whether the member is the storage of a tensor in PyTorch's zip, `data/7`, which nobody loads as
    /// a pickle: any bytes can stand there.
    fn is_storage(&self) -> bool {
        let mut parts = self.member.location.rsplit('/');
        let number = parts.next().unwrap_or_default();
        !self.member.top
            && parts.next() == Some("data")
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Whether streams were found before.
    fn follows(&self) -> bool {
        self.found.streams > 0
    }

    fn release(&mut self, take: &mut dyn FnMut(Stream<'a>)) {
        for runs in core::mem::take(&mut self.held) {
            self.hand_out(runs, (Strength::Strong, false), take);
        }
    }

    fn hand_out(
        &mut self,
        runs: Runs<'a>,
        (strength, carved): (Strength, bool),
        take: &mut dyn FnMut(Stream<'a>),
    ) {
        if self.found.streams == 0 && is_torch_magic(&runs.trace) {
            self.found.torch_legacy = true;
        }
        let inner = runs.inner;
        let loader = if self.found.torch_legacy {
            Loader::TorchLoad
        } else {
            runs.loader
        };
        self.found.streams = self.found.streams.saturating_add(1);
        take(Stream {
            trace: runs.trace,
            readings: runs.readings,
            others: runs.others,
            strength,
            carved,
            loader,
            unread: runs.unread,
            inner: inner.iter().flat_map(effect_offsets).collect(),
        });
        for runs in inner {
            self.found.streams = self.found.streams.saturating_add(1);
            take(Stream {
                trace: runs.trace,
                readings: runs.readings,
                others: runs.others,
                strength: Strength::Strong,
                carved,
                loader: runs.loader,
                unread: runs.unread,
                inner: BTreeSet::new(),
            });
        }
    }

    /// Where another stream may begin at or behind `position`, though nothing leads there: behind
    /// blanks, or at a PROTO that begins something with effects.
    fn next_head(&mut self, position: usize) -> Option<usize> {
        // What is inside a container is visited by itself.
        if !self.member.top || self.member.format.kind() == FormatKind::Container {
            return None;
        }
        let bytes = self.member.bytes;
        let rest = bytes.get(position..)?;
        let blanks = rest
            .iter()
            .take_while(|byte| matches!(byte, 0 | b'\n' | b'\r' | b' ' | b'\t'))
            .count();
        let behind = position.saturating_add(blanks);
        if blanks > 0 && behind < bytes.len() && self.follows() && self.has_effects(behind) {
            return Some(behind);
        }
        let window = rest.get(..CARVED_BYTES).unwrap_or(rest);
        memmem::find_iter(window, &[Opcode::Proto.byte()])
            .map(|at| position.saturating_add(at))
            .filter(|at| *at > 0)
            .filter(|at| {
                bytes
                    .get(at.saturating_add(1))
                    .is_some_and(|protocol| (2..=5).contains(protocol))
            })
            .take(CARVED_HEADS)
            .find(|at| self.has_effects(*at))
    }

    fn has_effects(&mut self, position: usize) -> bool {
        let mut options = self.options.clone();
        options.limits.instructions = CARVED_INSTRUCTIONS.min(self.budget);
        if self.budget == 0 {
            self.found.unread.get_or_insert(position);
            return false;
        }
        let runs = self.run_at(position, &options);
        for trace in runs.traces() {
            self.budget = self.budget.saturating_sub(trace.instructions.max(1));
        }
        runs.traces()
            .any(|trace| !trace.effects.is_empty() && plausible_imports(trace))
    }
}

fn effect_offsets<'r>(runs: &'r Runs<'_>) -> impl Iterator<Item = usize> + 'r {
    let effects = runs.traces().flat_map(|trace| &trace.effects);
    effects.map(|effect| effect.offset)
}

/// Whether an effect is more than naming something.
const fn acts(kind: &EffectKind) -> bool {
    matches!(
        kind,
        EffectKind::Call { .. }
            | EffectKind::Build { .. }
            | EffectKind::SetItem { .. }
            | EffectKind::Append { .. }
            | EffectKind::Extend { .. }
            | EffectKind::Add { .. }
            | EffectKind::ComputedImport { .. }
    )
}

/// Whether every import names what could be a module and a name; prose does not.
fn plausible_imports(trace: &Trace<'_>) -> bool {
    trace
        .graph
        .globals()
        .iter()
        .all(|global| is_dotted_name(&global.module) && is_dotted_name(&global.name))
}

fn is_dotted_name(name: &[u8]) -> bool {
    let Ok(name) = core::str::from_utf8(name) else {
        return false;
    };
    name.split('.').all(|part| {
        let mut characters = part.chars();
        characters
            .next()
            .is_some_and(|first| first == '_' || first.is_alphabetic())
            && characters.all(|character| character == '_' || character.is_alphanumeric())
    })
}

fn is_torch_magic(trace: &Trace<'_>) -> bool {
    let End::Stop { root, .. } = trace.end else {
        return false;
    };
    root.kind() == ValueKind::LongInt
        && trace
            .graph
            .integer(root)
            .is_some_and(|number| !number.negative && number.magnitude == TORCH_MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn member(bytes: &[u8]) -> Member<'_> {
        Member {
            location: "sample",
            format: Format::Data,
            loader: Loader::PickleLoad,
            bytes,
            partial: None,
            depth: 0,
            top: true,
        }
    }

    fn find(bytes: &[u8]) -> (Vec<(usize, Strength, bool)>, Found) {
        let mut list = Vec::new();
        let found = streams(&member(bytes), &Options::default(), &mut |stream| {
            list.push((stream.trace.start, stream.strength, stream.carved));
        });
        (list, found)
    }

    #[test]
    fn text_is_no_pickle_though_it_begins_with_opcodes() {
        for text in [
            "copyright notice\nall rights reserved\n",
            "(c) 2024 The authors\n",
            "N. is a letter",
            "I am\nhere\n",
            "class Foo\nbar baz\n",
            "import os\nimport sys\n",
            "{\"a\": 1}",
            "# Title\n",
            "Very good\n.\nmore text\n",
        ] {
            assert_eq!(find(text.as_bytes()).0, [], "{text}");
        }
    }

    #[test]
    fn a_word_list_is_weak() {
        assert_eq!(find(b"cat\ndog\nbird\n").0, [(0, Strength::Weak, false)]);
    }

    #[test]
    fn protocol_0_needs_no_name_and_no_header() {
        assert_eq!(
            find(b"cos\nsystem\n(S'echo pickleproof'\ntR.").0,
            [(0, Strength::Strong, false)]
        );
        assert_eq!(
            find(b"cos\nsystem\n(S'echo pickleproof'\ntR").0,
            [(0, Strength::Strong, false)]
        );
        assert_eq!(find(b"(lp0\nI1\na.").0, [(0, Strength::Strong, false)]);
    }

    #[test]
    fn data_of_protocol_0_that_was_cut_off_is_a_pickle() {
        let cut = b"(dp0\nVkey\np1\nI1\nsVother\np2\n(lp3\nI1";
        assert_eq!(find(cut).0, [(0, Strength::Strong, false)]);
        assert_eq!(find(&[b'('; 1000]).0, [(0, Strength::Strong, false)]);
    }

    #[test]
    fn streams_follow_each_other_and_what_is_left_is_trailing() {
        let (list, found) = find(b"\x80\x04N.\x80\x04K\x01.rest");
        assert_eq!(
            list,
            [(0, Strength::Strong, false), (4, Strength::Strong, false)]
        );
        assert_eq!(found.trailing, Some(9));
        // Plain data first, then a call: both count.
        let (list, _) = find(b"N.cos\nsystem\n(S'echo pickleproof'\ntR.");
        assert_eq!(list.len(), 2);
    }

    #[test]
    fn a_stream_behind_a_break_or_blanks_is_carved() {
        let (list, _) = find(b"\x80\x04N.\0\0\0\0cos\nsystem\n(S'echo pickleproof'\ntR.");
        assert_eq!(
            list,
            [(0, Strength::Strong, false), (8, Strength::Strong, true)]
        );
        let (list, _) = find(b"HEADER\x80\x02cos\nsystem\nU\x10echo pickleproof\x85R.");
        assert_eq!(list, [(6, Strength::Strong, true)]);
    }

    #[test]
    fn the_legacy_torch_file_is_known_by_its_magic_number() {
        let mut file = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02}.\x80\x02].".to_vec();
        file.extend([0; 64]);
        let (list, found) = find(&file);
        assert_eq!(
            (list.len(), found.torch_legacy, found.trailing),
            (5, true, None)
        );
    }
}

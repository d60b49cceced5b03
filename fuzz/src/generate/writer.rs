//! The stream that is being written, and its frame.

use std::ops::RangeInclusive;

use pickleproof_core::Opcode;

use super::state::{Kind, State};
use super::{Entropy, Faults, Options};

/// A frame whose length is not known yet.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// Offset behind the length field.
    start: usize,
    /// The instructions that it is to hold still.
    left: usize,
}

/// Writes one stream.
pub(super) struct Writer<'g> {
    pub(super) entropy: &'g mut Entropy,
    pub(super) options: &'g Options,
    pub(super) out: Vec<u8>,
    pub(super) state: State,
    pub(super) protocol: u8,
    pub(super) buffers: usize,
    frame: Option<Frame>,
}

impl<'g> Writer<'g> {
    pub(super) fn new(entropy: &'g mut Entropy, options: &'g Options) -> Self {
        Self {
            entropy,
            options,
            out: Vec::with_capacity(256),
            state: State::default(),
            protocol: 0,
            buffers: options.buffers,
            frame: None,
        }
    }

    /// Whether something goes wrong here.
    pub(super) fn fault(&mut self) -> bool {
        self.entropy.chance(self.options.faults.rate(), 256)
    }

    /// Whether something unusual is tried, where a fault by chance would be too rare.
    pub(super) fn bold(&mut self) -> bool {
        self.options.faults != Faults::None && self.entropy.chance(1, 6)
    }

    fn length(&mut self, range: &RangeInclusive<usize>) -> usize {
        let span = range.end().saturating_sub(*range.start());
        range
            .start()
            .saturating_add(self.entropy.below(span.saturating_add(1)))
    }

    /// Writes one pickle, from PROTO to STOP.
    pub(super) fn load(&mut self) {
        self.state.begin();
        self.protocol = self
            .options
            .protocol
            .unwrap_or_else(|| self.entropy.pick(&[0, 1, 2, 3, 4, 4, 4, 5, 5]).unwrap_or(0));
        if self.protocol >= 2 && !self.entropy.chance(1, 16) {
            self.proto();
        }
        if self.protocol >= 4 && self.entropy.chance(11, 16) {
            self.begin_frame();
        }
        // What stands above the mark is what the end puts into the result.
        if self.entropy.chance(10, 16) {
            self.mark();
        }
        let steps = self.length(&self.options.steps.clone());
        for _ in 0..steps {
            if self.entropy.is_exhausted() {
                break;
            }
            self.step();
        }
        self.close();
        self.stop();
    }

    fn proto(&mut self) {
        let protocol = if self.fault() {
            self.entropy.byte()
        } else if self.entropy.chance(1, 16) {
            self.entropy.byte() % 6
        } else {
            self.protocol
        };
        self.emit(Opcode::Proto, &[protocol]);
    }

    /// Brings all that is above a mark together, so that the result holds it.
    fn close(&mut self) {
        if self.entropy.chance(1, 16) && !self.state.above().is_empty() {
            return;
        }
        for _ in 0..=self.state.marks() {
            if !self.state.has_mark() {
                break;
            }
            let opcode = self
                .entropy
                .pick(&[Opcode::Tuple, Opcode::List])
                .unwrap_or(Opcode::Tuple);
            self.collect(opcode);
        }
        while self.state.above().len() > 1 && !self.entropy.chance(1, 16) {
            let count = self.state.above().len().min(3);
            self.tuple(count);
        }
        if self.state.above().is_empty() {
            self.literal();
        }
    }

    fn stop(&mut self) {
        if self.entropy.chance(1, 8) {
            self.end_frame();
        }
        if !self.fault() {
            self.emit(Opcode::Stop, &[]);
        }
        self.end_frame();
    }

    /// The stream; cut short, with something behind it, or as it is.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.fault() {
            let length = self.entropy.below(self.out.len().saturating_add(1));
            self.out.truncate(length);
        }
        if self.entropy.chance(1, 64) {
            self.out.extend_from_slice(b"N.junk\xff");
        }
        self.out
    }

    /// One instruction; `operand` is written as it is.
    pub(super) fn emit(&mut self, opcode: Opcode, operand: &[u8]) {
        if self.fault() {
            self.intrude();
        }
        self.out.push(opcode.byte());
        self.out.extend_from_slice(operand);
        if let Some(frame) = &mut self.frame {
            frame.left = frame.left.saturating_sub(1);
            if frame.left == 0 {
                self.end_frame();
            }
        }
    }

    /// Something that does not belong here.
    fn intrude(&mut self) {
        match self.entropy.below(4) {
            0 => {
                let byte = self.entropy.byte();
                self.out.push(byte);
            }
            1 => self.out.push(b'('),
            2 => self.out.push(b'0'),
            _ => {
                if let Some(opcode) = self.entropy.pick(&Opcode::ALL) {
                    self.out.push(opcode.byte());
                }
            }
        }
    }

    /// Begins a frame of some instructions, unless one is open.
    pub(super) fn begin_frame(&mut self) {
        if self.frame.is_some() && !self.fault() {
            return;
        }
        self.end_frame();
        self.emit(Opcode::Frame, &[0; 8]);
        let left = if self.entropy.chance(1, 2) {
            usize::MAX
        } else {
            self.entropy.below(20).saturating_add(1)
        };
        self.frame = Some(Frame {
            start: self.out.len(),
            left,
        });
    }

    pub(super) fn end_frame(&mut self) {
        let Some(frame) = self.frame.take() else {
            return;
        };
        let mut length = u64::try_from(self.out.len().saturating_sub(frame.start)).unwrap_or(0);
        if self.fault() {
            length = match self.entropy.below(4) {
                0 => length.saturating_sub(1),
                1 => length.saturating_add(1),
                2 => {
                    let less = u64::try_from(self.entropy.below(40)).unwrap_or(0);
                    length.saturating_sub(less)
                }
                _ => self.size(length),
            };
        }
        let field = frame.start.saturating_sub(8)..frame.start;
        if let Some(field) = self.out.get_mut(field) {
            field.copy_from_slice(&length.to_le_bytes());
        }
    }

    pub(super) fn mark(&mut self) {
        self.emit(Opcode::Mark, &[]);
        self.state.push_mark();
    }

    /// An instruction without operand that takes `count` objects and gives one.
    pub(super) fn replace(&mut self, opcode: Opcode, count: usize, kind: Kind) {
        self.emit(opcode, &[]);
        self.state.pop(count);
        self.state.push(kind);
    }
}

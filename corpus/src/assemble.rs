//! The assembler: a readable source of one instruction a line to the bytes of a sample.
//!
//! ```text
//! # a call of os.system, as protocol 0 writes it
//! GLOBAL "os" "system"
//! MARK
//! UNICODE "echo pickleproof"     # a literal: "text" or b"bytes", with Python's escapes
//! TUPLE
//! REDUCE
//! STOP
//! ```
//!
//! An instruction is the opcode's name in pickletools and its operand by its kind:
//!
//! | operand | text |
//! |---|---|
//! | number | `5`, `0x1f` |
//! | float of eight bytes | `1.5`, or the 16 digits of its bits: `0x7ff8000000000000` |
//! | line, two lines | a literal or a bare word, without the newline |
//! | counted data | a literal, or a block `{ ... }` of statements whose bytes are the data |
//! | integer of counted bytes | a decimal number, a literal or a block |
//!
//! Lengths of counted data are computed; `!length=500` lies. `FRAME auto` computes the frame's
//! length: it ends before the next `FRAME`, at `.frame-end`, or with its block; `FRAME 7` and
//! `FRAME { ... }` are the other ways.
//!
//! Directives: `.bytes HEX...`, `.text "..."`, `.repeat N { ... }`, `.gzip { ... }`, `.zlib { ... }`,
//! and `.zip { ... }` with `.member "name" { ... }` inside. Their options: `name` of `.gzip`;
//! `base`, `style=torch`, `no-central`, `comment` of `.zip`; `method`, `flags`, `local-only` of
//! `.member`; and, to lie, `crc`, `size`, `adler`, `local-name`, `local-size`.

mod archive;
mod checksum;
mod lexer;
pub(crate) mod operand;

use std::fmt;

use pickleproof_core::Opcode;

use archive::Zip;
use lexer::{Statement, Value};

/// How deep blocks may stand in blocks: the assembler recurses.
const MAX_DEPTH: usize = 32;

/// What one `.repeat` may write; without it a few lines could ask for all memory.
const MAX_REPEAT: usize = 1 << 24;

/// Why a source has no bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssembleError {
    /// The line that is wrong, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for AssembleError {}

/// The bytes that a source stands for.
///
/// # Errors
///
/// The first line that is not understood, and why.
///
/// ```
/// let bytes = pickleproof_corpus::assemble("BININT1 7\nSTOP").unwrap();
/// assert_eq!(bytes, b"K\x07.");
/// assert_eq!(pickleproof_corpus::assemble("STOP\nHALT").unwrap_err().line, 2);
/// ```
pub fn assemble(source: &str) -> Result<Vec<u8>, AssembleError> {
    let statements = lexer::statements(source)?;
    let mut assembler = Assembler {
        rest: statements.iter(),
        depth: 0,
    };
    assembler.block(None)
}

struct Assembler<'a> {
    rest: std::slice::Iter<'a, Statement>,
    depth: usize,
}

/// What a block has written, and where the length of its open frame stands.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    frame: Option<usize>,
}

impl Output {
    /// Writes the length of the open frame, if there is one.
    fn end_frame(&mut self) -> bool {
        let Some(at) = self.frame.take() else {
            return false;
        };
        let size = self.bytes.len().saturating_sub(at).saturating_sub(8);
        let size = u64::try_from(size).unwrap_or(u64::MAX).to_le_bytes();
        if let Some(field) = self
            .bytes
            .get_mut(at..)
            .and_then(|tail| tail.first_chunk_mut())
        {
            *field = size;
        }
        true
    }
}

impl<'a> Assembler<'a> {
    /// Reads up to the brace that closes `opened`, or to the end of the source.
    fn block(&mut self, opened: Option<&Statement>) -> Result<Vec<u8>, AssembleError> {
        let mut output = Output::default();
        while let Some(statement) = self.next_in(opened)? {
            self.statement(statement, &mut output)?;
        }
        output.end_frame();
        Ok(output.bytes)
    }

    /// The next statement of a block; `None` at its end.
    fn next_in(
        &mut self,
        opened: Option<&Statement>,
    ) -> Result<Option<&'a Statement>, AssembleError> {
        match (self.rest.next(), opened) {
            (Some(statement), Some(_)) if statement.name == "}" => Ok(None),
            (Some(statement), None) if statement.name == "}" => {
                Err(statement.error("a brace closes no block"))
            }
            (Some(statement), _) => Ok(Some(statement)),
            (None, Some(opened)) => Err(opened.error("a block is not closed")),
            (None, None) => Ok(None),
        }
    }

    fn nested(&mut self, opened: &Statement) -> Result<Vec<u8>, AssembleError> {
        self.enter(opened)?;
        let bytes = self.block(Some(opened))?;
        self.depth = self.depth.saturating_sub(1);
        Ok(bytes)
    }

    fn enter(&mut self, opened: &Statement) -> Result<(), AssembleError> {
        if !opened.opens {
            return Err(opened.error(format!("{} needs a block", opened.name)));
        }
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(opened.error(format!("blocks stand deeper than {MAX_DEPTH}")));
        }
        Ok(())
    }

    fn statement(
        &mut self,
        statement: &Statement,
        output: &mut Output,
    ) -> Result<(), AssembleError> {
        if let Some(opcode) = Opcode::from_name(&statement.name) {
            return self.instruction(opcode, statement, output);
        }
        let takes_block = matches!(
            statement.name.as_str(),
            ".gzip" | ".zlib" | ".zip" | ".repeat"
        );
        if statement.opens && !takes_block {
            return Err(statement.error(format!("{} opens no block here", statement.name)));
        }
        let bytes = match statement.name.as_str() {
            ".bytes" => hex(statement)?,
            ".text" => text(statement)?,
            ".frame-end" => {
                if !output.end_frame() {
                    return Err(statement.error("there is no open `FRAME auto`"));
                }
                Vec::new()
            }
            ".gzip" => archive::gzip(statement, &self.nested(statement)?)?,
            ".zlib" => archive::zlib(statement, &self.nested(statement)?)?,
            ".zip" => self.zip(statement)?,
            ".repeat" => self.repeat(statement)?,
            ".member" => return Err(statement.error("a member stands only in .zip")),
            name => return Err(statement.error(format!("{name:?} is no opcode and no directive"))),
        };
        output.bytes.extend(bytes);
        Ok(())
    }

    fn instruction(
        &mut self,
        opcode: Opcode,
        statement: &Statement,
        output: &mut Output,
    ) -> Result<(), AssembleError> {
        let block = if statement.opens {
            Some(self.nested(statement)?)
        } else {
            None
        };
        if opcode != Opcode::Frame {
            output.bytes.push(opcode.byte());
            output
                .bytes
                .extend(operand::encode(opcode, statement, block)?);
            return Ok(());
        }
        output.end_frame();
        output.bytes.push(opcode.byte());
        match block {
            Some(block) if statement.operands.is_empty() => {
                let size = u64::try_from(block.len()).unwrap_or(u64::MAX);
                output.bytes.extend(size.to_le_bytes());
                output.bytes.extend(block);
            }
            None if statement.has_flag("auto") => {
                output.frame = Some(output.bytes.len());
                output.bytes.extend([0; 8]);
            }
            Some(_) => return Err(statement.error("FRAME takes a number or a block")),
            None => output
                .bytes
                .extend(operand::encode(opcode, statement, None)?),
        }
        Ok(())
    }

    fn repeat(&mut self, statement: &Statement) -> Result<Vec<u8>, AssembleError> {
        let count = match statement.operands.as_slice() {
            [Value::Word(word)] => word.parse::<usize>().ok(),
            _ => None,
        };
        let bytes = self.nested(statement)?;
        let fits = |count: &usize| bytes.len().saturating_mul(*count) <= MAX_REPEAT;
        match count.filter(fits) {
            Some(count) => Ok(bytes.repeat(count)),
            None => Err(statement.error(format!("repeats to no number below {MAX_REPEAT} bytes"))),
        }
    }

    fn zip(&mut self, statement: &Statement) -> Result<Vec<u8>, AssembleError> {
        let mut zip = Zip::new(statement)?;
        self.enter(statement)?;
        while let Some(inner) = self.next_in(Some(statement))? {
            if inner.name == ".member" {
                let data = self.nested(inner)?;
                zip.member(inner, &data)?;
            } else {
                let mut between = Output::default();
                self.statement(inner, &mut between)?;
                between.end_frame();
                zip.out.append(&mut between.bytes);
            }
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(zip.finish())
    }
}

fn text(statement: &Statement) -> Result<Vec<u8>, AssembleError> {
    statement.allow_options(&[])?;
    match statement.operands.as_slice() {
        [Value::Bytes(bytes)] => Ok(bytes.clone()),
        _ => Err(statement.error(".text needs one literal")),
    }
}

fn hex(statement: &Statement) -> Result<Vec<u8>, AssembleError> {
    statement.allow_options(&[])?;
    let mut bytes = Vec::new();
    for operand in &statement.operands {
        let Value::Word(word) = operand else {
            return Err(statement.error(".bytes needs hexadecimal digits"));
        };
        let mut digits = word.chars().map(|digit| digit.to_digit(16));
        while let Some(high) = digits.next() {
            let (Some(high), Some(Some(low))) = (high, digits.next()) else {
                return Err(statement.error(".bytes needs pairs of hexadecimal digits"));
            };
            let [byte, ..] = ((high << 4) | low).to_le_bytes();
            bytes.push(byte);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;

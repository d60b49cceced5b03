//! Hostile text made harmless: the one place where the bytes of a file name, a member name or a
//! pickle become characters for a person.
//!
//! Two steps, each reversible by eye:
//! 1. [`path`] turns an operating system's path into text for the report: bytes that are not UTF-8
//!    become `\xNN` and a backslash becomes two, so that no two paths share a text.
//! 2. [`terminal`], [`clip`] and [`wrap`] turn any text into one that a terminal only shows:
//!    control characters (so every ANSI sequence), bidirectional controls and invisible characters
//!    become `\n`, `\x1b`, `\u{202e}`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use unicode_width::UnicodeWidthChar as _;

/// What stands for the text that was cut away.
const ELLIPSIS: char = '…';

/// The columns of the widest escape, `\u{10ffff}`.
const WIDEST: usize = 10;

/// A line holds at most this many characters for a column of width. Without it a name that
/// is all combining marks, which have no width, would never end.
const CHARACTERS_PER_COLUMN: usize = 4;

/// The text that stands for a path in a report. Two paths never share one.
#[must_use]
pub fn path(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        // Elsewhere a backslash separates folders and can be no part of a name.
        if cfg!(unix) {
            text.push_str(&chunk.valid().replace('\\', r"\\"));
        } else {
            text.push_str(chunk.valid());
        }
        for byte in chunk.invalid() {
            push_formatted(&mut text, format_args!("\\x{byte:02x}"));
        }
    }
    text
}

/// The text with all that a terminal would obey, or not show, escaped.
#[must_use]
pub fn terminal(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push(&mut out, character);
    }
    Cow::Owned(out)
}

/// The text as by [`terminal`], cut to `width` columns with an ellipsis where it is longer.
///
/// Looks only at as much of the text as can be shown.
#[must_use]
pub fn clip(text: &str, width: usize) -> String {
    let mut lines = wrap(text, width, 1);
    lines.pop().unwrap_or_default()
}

/// The text as by [`terminal`], in at most `lines` lines of at most `width` columns, cut with an
/// ellipsis where it is longer. There is always one line, if only an empty one.
///
/// Breaks after a space or a path's separator where there is one in the second half of a line, and
/// never within an escape. A line is never narrower than the widest escape, ten columns. Looks only at as much of the text as can be shown.
#[must_use]
pub fn wrap(text: &str, width: usize, lines: usize) -> Vec<String> {
    let width = width.max(WIDEST);
    let mut done = Vec::new();
    let mut line = Line::default();
    for character in text.chars() {
        let last = done.len().saturating_add(1) >= lines;
        if line.add(character, width) {
            continue;
        }
        if last {
            line.cut(width);
            done.push(line.text);
            return done;
        }
        let rest = line.break_off(character, width);
        done.push(
            core::mem::replace(&mut line, rest)
                .text
                .trim_end_matches(' ')
                .to_owned(),
        );
        line.add(character, width);
    }
    done.push(line.text);
    done
}

/// The columns that the text takes as by [`terminal`], or `limit` if it takes more.
#[must_use]
pub fn width(text: &str, limit: usize) -> usize {
    let mut line = Line::default();
    for character in text.chars() {
        if !line.add(character, limit) {
            return limit;
        }
    }
    line.width()
}

/// A line that grows by one escaped character at a time.
#[derive(Default)]
struct Line {
    text: String,
    /// The end of each character in `text`, and the columns up to there.
    ends: Vec<(usize, usize)>,
    /// Number of characters up to the last place where the line may break.
    breakable: usize,
}

impl Line {
    fn width(&self) -> usize {
        self.ends.last().map_or(0, |&(_, columns)| columns)
    }

    /// Whether the character still fits; if not, the line is as it was.
    fn add(&mut self, character: char, width: usize) -> bool {
        let before = self.text.len();
        let columns = self.width().saturating_add(push(&mut self.text, character));
        let full = self.ends.len() >= width.saturating_mul(CHARACTERS_PER_COLUMN);
        if columns > width || full {
            self.text.truncate(before);
            return false;
        }
        self.ends.push((self.text.len(), columns));
        if matches!(character, ' ' | '/' | '\\') {
            self.breakable = self.ends.len();
        }
        true
    }

    /// Ends the line with an ellipsis, in place of characters where it has no room.
    fn cut(&mut self, width: usize) {
        while self.width() >= width && self.ends.pop().is_some() {}
        self.text
            .truncate(self.ends.last().map_or(0, |&(end, _)| end));
        self.text.push(ELLIPSIS);
    }

    /// Cuts off what comes after the best place to break, and returns it. There is room in it for
    /// `next`.
    fn break_off(&mut self, next: char, width: usize) -> Self {
        let Some(&(end, columns)) = self
            .breakable
            .checked_sub(1)
            .and_then(|index| self.ends.get(index))
        else {
            return Self::default();
        };
        if columns < width.div_ceil(2) || columns < push(&mut String::new(), next) {
            return Self::default();
        }
        let text = self.text.split_off(end);
        let ends = self.ends.split_off(self.breakable);
        let ends = ends
            .into_iter()
            .map(|(e, c)| (e.saturating_sub(end), c.saturating_sub(columns)))
            .collect();
        Self {
            text,
            ends,
            breakable: 0,
        }
    }
}

/// Adds the character, escaped if need be, and returns the columns it takes.
fn push(out: &mut String, character: char) -> usize {
    if is_plain(character) {
        out.push(character);
        return character.width().unwrap_or(0);
    }
    let before = out.len();
    match character {
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        // `\x80` and above stand for bytes that are not UTF-8.
        '\0'..='\x7f' => push_formatted(out, format_args!("\\x{:02x}", u32::from(character))),
        _ => push_formatted(out, format_args!("\\u{{{:x}}}", u32::from(character))),
    }
    out.len().saturating_sub(before)
}

/// Whether a terminal shows the character, and does nothing else.
pub(crate) fn is_plain(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    !matches!(
        character,
        // C1 controls, soft hyphen, combining grapheme joiner, Arabic letter mark.
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        // Fillers and selectors without a shape.
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{2800}'
        // Zero-width characters, bidirectional marks, embeddings and isolates, separators.
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        // Interlinear annotation, shorthand and musical format controls.
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        // Private use: a terminal's font decides. Tags and selectors.
        | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}'
    )
}

fn push_formatted(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a `String` can't fail.
    let _ = out.write_fmt(what);
}

#[cfg(test)]
mod tests;

//! Source text to statements: one a line, with its operands, its options and whether it opens a block.

use crate::AssembleError;
use crate::literal;
use std::iter::Peekable;
use std::str::Chars;

/// What stands behind a statement's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A bare word: a number, a flag, a line of plain text.
    Word(String),
    /// A literal's bytes.
    Bytes(Vec<u8>),
}

/// One line of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Its line, counted from 1.
    pub(crate) line: usize,
    /// The opcode or directive; `}` closes a block.
    pub(crate) name: String,
    /// Operands, in order.
    pub(crate) operands: Vec<Value>,
    /// Options, `key=value`, each key once.
    pub(crate) options: Vec<(String, Value)>,
    /// Whether the line ends with `{`.
    pub(crate) opens: bool,
}

impl Statement {
    /// An error at this line.
    pub(crate) fn error(&self, message: impl Into<String>) -> AssembleError {
        AssembleError {
            line: self.line,
            message: message.into(),
        }
    }

    /// Whether a bare word stands among the operands.
    pub(crate) fn has_flag(&self, flag: &str) -> bool {
        let is_flag = |value: &Value| matches!(value, Value::Word(word) if word == flag);
        self.operands.iter().any(is_flag)
    }

    /// The value of an option.
    pub(crate) fn option(&self, key: &str) -> Option<&Value> {
        let found = self.options.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value)
    }

    /// The bytes of an option that is a literal or a word.
    pub(crate) fn bytes_option(&self, key: &str) -> Option<&[u8]> {
        self.option(key).map(|value| match value {
            Value::Word(word) => word.as_bytes(),
            Value::Bytes(bytes) => bytes,
        })
    }

    /// The value of an option that is a number that its field can hold.
    pub(crate) fn number_option<T: TryFrom<u64>>(
        &self,
        key: &str,
    ) -> Result<Option<T>, AssembleError> {
        let number = match self.option(key) {
            None => return Ok(None),
            Some(Value::Word(word)) => unsigned(word),
            Some(Value::Bytes(_)) => None,
        };
        match number.and_then(|number| T::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(self.error(format!("{key} needs a number that fits"))),
        }
    }

    /// Refuses options and flags that nobody asked for.
    pub(crate) fn allow_options(&self, keys: &[&str]) -> Result<(), AssembleError> {
        match self
            .options
            .iter()
            .find(|(key, _)| !keys.contains(&key.as_str()))
        {
            Some((key, _)) => Err(self.error(format!("{} has no option {key}", self.name))),
            None => Ok(()),
        }
    }

    /// Refuses bare words that are no flag of the statement.
    pub(crate) fn allow_flags(&self, flags: &[&str]) -> Result<(), AssembleError> {
        for operand in &self.operands {
            if let Value::Word(word) = operand
                && !flags.contains(&word.as_str())
            {
                return Err(self.error(format!("{} has no flag {word}", self.name)));
            }
        }
        Ok(())
    }
}

/// An unsigned number, decimal or hexadecimal with `0x`.
pub(crate) fn unsigned(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(digits) if !digits.starts_with('+') => u64::from_str_radix(digits, 16).ok(),
        None if !word.starts_with('+') => word.parse().ok(),
        _ => None,
    }
}

/// Every statement of a source.
pub(crate) fn statements(source: &str) -> Result<Vec<Statement>, AssembleError> {
    let mut statements = Vec::new();
    for (index, text) in source.lines().enumerate() {
        let line = index.saturating_add(1);
        match statement(text, line) {
            Ok(Some(statement)) => statements.push(statement),
            Ok(None) => {}
            Err(message) => return Err(AssembleError { line, message }),
        }
    }
    Ok(statements)
}

fn statement(text: &str, line: usize) -> Result<Option<Statement>, String> {
    let mut chars = text.chars().peekable();
    skip_space(&mut chars);
    let name = word(&mut chars);
    if name.is_empty() {
        return match chars.next() {
            None | Some('#') => Ok(None),
            Some('}') => close(&mut chars, line),
            Some(other) => Err(format!("a line can't begin with {other:?}")),
        };
    }
    let mut statement = Statement {
        line,
        name,
        operands: Vec::new(),
        options: Vec::new(),
        opens: false,
    };
    loop {
        let spaced = skip_space(&mut chars);
        match chars.peek() {
            None | Some('#') => return Ok(Some(statement)),
            Some(_) if statement.opens => return Err("text behind an opening brace".into()),
            Some(_) if !spaced => return Err("operands need a space between them".into()),
            Some('{') => {
                chars.next();
                statement.opens = true;
            }
            Some(_) => operand(&mut chars, &mut statement)?,
        }
    }
}

fn close(chars: &mut Peekable<Chars<'_>>, line: usize) -> Result<Option<Statement>, String> {
    skip_space(chars);
    match chars.next() {
        None | Some('#') => Ok(Some(Statement {
            line,
            name: "}".into(),
            operands: Vec::new(),
            options: Vec::new(),
            opens: false,
        })),
        Some(_) => Err("text behind a closing brace".into()),
    }
}

fn operand(chars: &mut Peekable<Chars<'_>>, statement: &mut Statement) -> Result<(), String> {
    let word = word(chars);
    let is_text = match (chars.peek(), word.as_str()) {
        (Some('"'), "") => Some(true),
        (Some('"'), "b") => Some(false),
        _ => None,
    };
    if let Some(is_text) = is_text {
        chars.next();
        let bytes = literal::read(chars, is_text)?;
        statement.operands.push(Value::Bytes(bytes));
        return Ok(());
    }
    let Some((key, value)) = word.split_once('=') else {
        if word.is_empty() {
            return Err("a brace stands where an operand is expected".into());
        }
        statement.operands.push(Value::Word(word));
        return Ok(());
    };
    let value = match (chars.peek(), value) {
        (Some('"'), "" | "b") => {
            chars.next();
            Value::Bytes(literal::read(chars, value.is_empty())?)
        }
        _ => Value::Word(value.into()),
    };
    if statement.option(key).is_some() {
        return Err(format!("option {key} is given twice"));
    }
    statement.options.push((key.into(), value));
    Ok(())
}

fn word(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    let in_word = |next: &char| !next.is_whitespace() && !matches!(next, '"' | '{' | '}' | '#');
    while let Some(next) = chars.next_if(in_word) {
        word.push(next);
    }
    word
}

fn skip_space(chars: &mut Peekable<Chars<'_>>) -> bool {
    let mut skipped = false;
    while chars.next_if(|next| next.is_whitespace()).is_some() {
        skipped = true;
    }
    skipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_operands_options_and_a_block() {
        let parsed =
            statements("\n  .member \"a b\" size=0x10 local-name=\"c\" no-central { # why\n}\n");
        let parsed = parsed.unwrap();
        assert_eq!(parsed.len(), 2);
        assert_eq!((parsed[0].line, parsed[0].opens), (2, true));
        assert_eq!(parsed[0].operands[0], Value::Bytes(b"a b".to_vec()));
        assert_eq!(parsed[0].number_option::<u32>("size"), Ok(Some(16)));
        assert_eq!(parsed[0].bytes_option("local-name"), Some(b"c".as_slice()));
        assert!(parsed[0].has_flag("no-central"));
        assert_eq!(parsed[1].name, "}");
    }

    #[test]
    fn errors_name_their_line() {
        for source in [
            "STOP\n\"a\"",
            "#\nX \"a",
            "\n} x",
            "\nX { y",
            "\nX \"a\"\"b\"",
            "\nX a=1 a=2",
            "\nX }",
        ] {
            assert_eq!(statements(source).unwrap_err().line, 2, "{source}");
        }
    }
}

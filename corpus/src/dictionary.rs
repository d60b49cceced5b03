//! The fuzzing dictionary: what a mutator can't guess, in the syntax that libFuzzer and AFL++ share.

use std::fmt::Write as _;

use pickleproof_core::Opcode;

/// Globals that loaders and scanners treat in ways of their own.
const GLOBALS: [(&str, &str); 24] = [
    ("os", "system"),
    ("posix", "system"),
    ("nt", "system"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("builtins", "getattr"),
    ("builtins", "__import__"),
    ("__builtin__", "eval"),
    ("__builtin__", "apply"),
    ("subprocess", "Popen"),
    ("commands", "getoutput"),
    ("importlib", "import_module"),
    ("operator", "attrgetter"),
    ("operator", "methodcaller"),
    ("functools", "partial"),
    ("copyreg", "_reconstructor"),
    ("copy_reg", "_reconstructor"),
    ("_codecs", "encode"),
    ("collections", "OrderedDict"),
    ("pickle", "loads"),
    ("marshal", "loads"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch", "FloatStorage"),
];

/// Text of numbers that unpicklers read in ways of their own.
const NUMBERS: [&str; 12] = [
    "00",
    "01",
    "0x1f",
    "1_0",
    " 1",
    "-0",
    "1L",
    "4294967296",
    "nan",
    "inf",
    "1e400",
    "-1",
];

/// The dictionary, one entry a line: every opcode, protocol headers, frames, lengths, globals in
/// their three spellings, and odd numbers.
///
/// ```
/// assert!(pickleproof_corpus::dictionary().contains("stop=\".\"\n"));
/// ```
#[must_use]
pub fn dictionary() -> String {
    let mut out = String::from(
        "# Pickle: opcodes, headers, frames, globals. Generated from the opcode table: do not edit.\n",
    );
    for opcode in Opcode::ALL {
        entry(
            &mut out,
            &opcode.name().to_ascii_lowercase(),
            &[opcode.byte()],
        );
    }
    for protocol in 0..=6 {
        entry(
            &mut out,
            &format!("protocol_{protocol}"),
            &[Opcode::Proto.byte(), protocol],
        );
    }
    for size in [0, 1, 4, 0x1_0000, u64::from(u32::MAX), 1 << 63, u64::MAX] {
        let frame = [&[Opcode::Frame.byte()], size.to_le_bytes().as_slice()].concat();
        entry(&mut out, &format!("frame_{size:x}"), &frame);
    }
    lengths(&mut out);
    for (module, name) in GLOBALS {
        globals(&mut out, module, name);
    }
    for (index, number) in NUMBERS.iter().enumerate() {
        for opcode in [
            Opcode::Int,
            Opcode::Long,
            Opcode::Float,
            Opcode::Get,
            Opcode::Put,
        ] {
            let line = [&[opcode.byte()], number.as_bytes(), b"\n"].concat();
            let label = format!("{}_{index}", opcode.name().to_ascii_lowercase());
            entry(&mut out, &label, &line);
        }
    }
    out
}

/// Lengths at the edges of their field, for each opcode that has one.
fn lengths(out: &mut String) {
    for opcode in Opcode::ALL {
        let Some(width) = opcode.operand_kind().length_width() else {
            continue;
        };
        for (label, byte) in [("none", 0), ("all", 0xff)] {
            let mut bytes = vec![opcode.byte()];
            bytes.resize(width.saturating_add(1), byte);
            entry(
                out,
                &format!("{}_{label}", opcode.name().to_ascii_lowercase()),
                &bytes,
            );
        }
        let mut bytes = vec![opcode.byte(), 1];
        bytes.resize(width.saturating_add(1), 0);
        bytes.push(b'a');
        entry(
            out,
            &format!("{}_one", opcode.name().to_ascii_lowercase()),
            &bytes,
        );
    }
}

fn globals(out: &mut String, module: &str, name: &str) {
    let label = format!("{module}_{name}").replace('.', "_");
    for opcode in [Opcode::Global, Opcode::Inst] {
        let lines = [
            &[opcode.byte()],
            module.as_bytes(),
            b"\n",
            name.as_bytes(),
            b"\n",
        ]
        .concat();
        entry(
            out,
            &format!("{}_{label}", opcode.name().to_ascii_lowercase()),
            &lines,
        );
    }
    let mut stack = Vec::new();
    for text in [module, name] {
        let [length, ..] = text.len().to_le_bytes();
        stack.extend([Opcode::ShortBinUnicode.byte(), length]);
        stack.extend_from_slice(text.as_bytes());
    }
    stack.push(Opcode::StackGlobal.byte());
    entry(out, &format!("stack_global_{label}"), &stack);
}

fn entry(out: &mut String, label: &str, bytes: &[u8]) {
    out.push_str(label);
    out.push_str("=\"");
    for byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
            0x20..=0x7e => out.push(char::from(*byte)),
            // Writing to a String never fails.
            _ => drop(write!(out, "\\x{byte:02x}")),
        }
    }
    out.push_str("\"\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn labels_are_unique_and_lines_are_well_formed() {
        let text = dictionary();
        let mut labels = HashSet::new();
        for line in text.lines().skip(1) {
            let (label, value) = line.split_once('=').unwrap();
            assert!(labels.insert(label), "{label}");
            assert!(
                label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            );
            assert!(value.starts_with('"') && value.ends_with('"') && line.is_ascii());
        }
        assert!(text.contains("global_os_system=\"cos\\x0asystem\\x0a\"\n"));
        assert!(text.contains("\\x8c\\x02os\\x8c\\x06system\\x93"));
    }
}

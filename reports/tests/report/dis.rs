//! The disassembly: golden files of every sample, and the arguments of `pickletools`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pickleproof_core::{Dialect, LimitKind, Limits, Reader, Version};
use pickleproof_corpus::{folder, samples};
use pickleproof_reports::dis::{Form, Options, list};

use serde_json::{Value, json};

use super::{Full, golden, here};

/// Longer listings are golden by their first and last lines and a sum of all.
const LINES: usize = 300;

fn listing(name: &str, bytes: &[u8], options: &Options) -> String {
    let mut out = Vec::new();
    list(name, bytes, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn text(bytes: &[u8]) -> String {
    listing("a", bytes, &Options::default())
}

/// FNV-1a, which no release of Rust changes.
fn sum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The text, or where it is long its ends and what pins the rest.
fn abridged(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= LINES {
        return text.to_owned();
    }
    let (first, rest) = lines.split_at(LINES / 2);
    let (middle, last) = rest.split_at(rest.len().saturating_sub(LINES / 2));
    let mut short = String::new();
    for line in first {
        writeln!(short, "{line}").unwrap();
    }
    let sum = sum(&middle.join("\n"));
    writeln!(short, "[{} lines, FNV-1a {sum:016x}]", middle.len()).unwrap();
    for line in last {
        writeln!(short, "{line}").unwrap();
    }
    short
}

#[test]
fn every_sample() {
    let mut expected = BTreeSet::new();
    for sample in samples().unwrap() {
        let path = format!("tests/golden/dis/{}.txt", sample.name);
        let listing = listing(&sample.name, &sample.bytes, &Options::default());
        golden(&path, &abridged(&listing));
        expected.insert(here(&path));
    }
    // And no golden file is of a sample that is no more.
    let mut folders = vec![here("tests/golden/dis")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert!(
                    expected.contains(&path),
                    "{} is of no sample",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn other_forms() {
    let forms: [(&str, Options); 4] = [
        (
            "json",
            Options {
                form: Form::Json,
                ..Options::default()
            },
        ),
        (
            "stack",
            Options {
                stack: true,
                ..Options::default()
            },
        ),
        (
            "annotate",
            Options {
                annotate: true,
                ..Options::default()
            },
        ),
        (
            "json-annotate",
            Options {
                form: Form::Json,
                annotate: true,
                ..Options::default()
            },
        ),
    ];
    let names = [
        "calls/memo_rewritten.pkl",
        "broken/list_arguments.pkl",
        "broken/after_payload.pkl",
        "containers/hostile_torch.pt",
        "data/protocol_5.pkl",
        "data/surrogate.pkl",
        "objects/planted_setstate.pkl",
    ];
    let samples = samples().unwrap();
    for (form, options) in forms {
        for name in names {
            let sample = samples.iter().find(|sample| sample.name == name).unwrap();
            let path = format!("tests/golden/dis-forms/{form}/{name}.txt");
            golden(&path, &listing(name, &sample.bytes, &options));
        }
    }
}

/// The stream at the start of these bytes, whatever they look like.
fn at_0(bytes: &[u8], options: Options) -> String {
    listing(
        "a",
        bytes,
        &Options {
            offset: Some(0),
            ..options
        },
    )
}

fn records(bytes: &[u8]) -> Vec<Value> {
    let form = Form::Json;
    let text = at_0(
        bytes,
        Options {
            form,
            ..Options::default()
        },
    );
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn where_c_stops_python_goes_on_and_what_neither_runs_is_decoded() {
    // A list as arguments, which only `pickle.py` takes, then a protocol that none knows.
    let text = text(b"cos\nsystem\n(S'echo pickleproof'\nlR\x80\x09(N0.");
    let expected = "\
a: stream at 0, for pickle.load
    0: c    GLOBAL     'os system'
             -> from os import system
   11: (    MARK
   12: S        STRING     'echo pickleproof'
   32: l        LIST       (MARK at 11)
   33: R    REDUCE
-- c: TypeError at 33: the arguments are no tuple; python goes on:
   33: R    REDUCE
             -> os.system('echo pickleproof')
   34: \\x80 PROTO      9
-- python: ValueError at 34: protocol 9 is unknown; what follows is decoded, not run:
   36: (    MARK
   37: N        NONE
   38: 0        POP
   39: .        STOP
highest protocol among opcodes = 2
c: TypeError at 33: the arguments are no tuple, 1 effect
python: ValueError at 34: protocol 9 is unknown, 2 effects
pickletools: stops at 39 STOP
pickletools.dis: ValueError at 39: the stack is not empty after STOP
";
    assert_eq!(text, expected);
}

#[test]
fn a_failing_instruction_keeps_the_effects_it_had() {
    let mut options = Options::default();
    options.machine.dialect = Dialect::Python;
    // `pickle.py` imports before it misses the mark.
    let text = at_0(b"ios\nsystem\n.", options);
    assert!(
        text.contains("-> from os import system\n-- python: IndexError at 0"),
        "{text}"
    );
}

#[test]
fn loaders_and_releases_that_read_a_number_differently_are_told_apart() {
    let text = at_0(b"I010\n.", Options::default());
    assert!(text.contains("INT        10 (c reads 8)\n"), "{text}");
    let mut options = Options::default();
    options.machine.version = Version {
        minor: 14,
        patch: 0,
    };
    let text = at_0(b"I010\n.", options);
    assert!(text.contains("INT        10\n"), "{text}");
    let text = at_0(b"cm\n\\x6e\n.", Options::default());
    assert!(
        text.contains(r"GLOBAL     'm n' (c reads 'm \\x6e')"),
        "{text}"
    );
}

/// The loader of this name in the summary of a listing.
fn named(records: &[Value], name: &str) -> Value {
    let loaders = records.last().unwrap()["loaders"].as_array().unwrap();
    let found = loaders.iter().find(|loader| loader["loader"] == name);
    found.cloned().unwrap_or_default()
}

fn loader(bytes: &[u8], name: &str) -> Value {
    named(&records(bytes), name)
}

#[test]
fn what_a_file_makes_of_a_frame_is_told_where_it_matters() {
    let straddle = [
        b"\x95\x03\0\0\0\0\0\0\0X\x40\0\0\0\0\0".as_slice(),
        b"cos\nsystem\n(S'echo pickleproof'\ntR.",
    ]
    .concat();
    let padded = [straddle.as_slice(), &[0; 64], b"."].concat();
    assert_eq!(loader(&padded, "c")["effects"], 0);
    let other = loader(&padded, "other");
    assert_eq!(
        (&other["effects"], &other["stop"]),
        (&json!(2), &json!(50)),
        "{other}"
    );
    assert_eq!(
        other["readers"],
        "pickle.load of a BytesIO of 3.8 to 3.13.14, 3.14.0 to 3.14.6"
    );
    assert_eq!(other["other_effects"][1], "os.system('echo pickleproof')");
    assert_eq!(loader(b"N.", "other"), Value::Null);
    let mut options = Options::default();
    options.machine.reader = Reader::Stream;
    let text = at_0(&padded, options);
    assert!(
        text.contains("R    REDUCE\n             -> os.system('echo pickleproof')"),
        "{text}"
    );
}

#[test]
fn what_pickletools_dis_refuses_is_said() {
    let refused = loader(b"NN.", "pickletools.dis");
    assert_eq!(refused["error"]["exception"], "ValueError");
    assert_eq!(loader(b"NN.", "pickletools")["stop"], 2);
}

#[test]
fn hostile_text_obeys_nobody() {
    let evil = "\x1b[2J\u{202e}\u{9b}\0\r\u{200b}\u{e0041}";
    let mut bytes = format!("c{evil}\n{evil}\n(V{evil}\np5\nP{evil}\n").into_bytes();
    bytes.extend(b"tR\x8c\x05\xed\xa0\x80\xc3\xa9C\x02\x9b\xffU\x02\x1b\x9b\x93");
    bytes.extend(b"c\xff\xfe\nx\n.");
    for form in [Form::Text, Form::Json] {
        let options = Options {
            form,
            stack: true,
            full: true,
            offset: Some(0),
            ..Options::default()
        };
        let text = listing("a\x1b[2J\u{202e}", &bytes, &options);
        let bad = |character: char| {
            (character.is_control() && character != '\n')
                || "\u{202e}\u{200b}\u{e0041}".contains(character)
        };
        assert!(!text.contains(bad), "{text}");
        assert!(text.lines().count() > 5, "{text}");
    }
}

#[test]
fn long_operands_are_cut_unless_asked_for() {
    let mut bytes = b"B\x00\x00\x10\x00".to_vec();
    bytes.resize(5 + (1 << 20), 0);
    bytes.push(b'.');
    let text = at_0(&bytes, Options::default());
    assert!(
        text.len() < 1000 && text.contains("…' (1048576 bytes)"),
        "{text}"
    );
    let full = at_0(
        &bytes,
        Options {
            full: true,
            ..Options::default()
        },
    );
    assert_eq!(full.matches("\\x00").count(), 1 << 20);
    let value = records(&bytes)[1]["operand"]["value"].clone();
    assert_eq!(value.as_str().unwrap().len(), 2 << 20);
}

#[test]
fn nesting_costs_no_stack_and_no_width() {
    let depth = 100_000;
    let mut bytes = b"(".repeat(depth);
    bytes.extend(b"t".repeat(depth));
    bytes.push(b'.');
    let options = Options {
        stack: true,
        ..Options::default()
    };
    let text = at_0(&bytes, options);
    assert!(text.contains("+99989 MARK\n"));
    assert!(text.contains("t        TUPLE      (MARK at 0)\n"));
    assert!(text.lines().all(|line| line.len() < 500));
}

#[test]
fn a_limit_is_said_and_what_follows_is_decoded() {
    let mut options = Options::default();
    options.machine.limits = Limits {
        stack: 1,
        ..Limits::default()
    };
    let text = at_0(b"NN0.", options);
    let said = format!(
        "-- c: the limit on {} is reached at 1; what follows is",
        LimitKind::Stack
    );
    assert!(
        text.contains(&said) && text.contains("    3: .    STOP\n"),
        "{text}"
    );
}

#[test]
fn a_stream_in_the_middle_can_be_asked_for() {
    let options = Options {
        offset: Some(3),
        ..Options::default()
    };
    let text = listing("a", b"???K\x07.", &options);
    assert!(
        text.starts_with("a: stream at 3\n    3: K    BININT1    7\n"),
        "{text}"
    );
    assert!(list("a", b"???", &Options::default(), &mut Vec::new()).unwrap() == 0);
}

#[test]
fn a_writer_that_fails_ends_the_listing() {
    for form in [Form::Text, Form::Json] {
        let options = Options {
            form,
            ..Options::default()
        };
        let error = list("a", b"\x80\x02N.", &options, &mut Full).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }
}

/// An operand of the JSON form as the vectors write it.
fn as_recorded(operand: &Value) -> Value {
    let value = &operand["value"];
    match operand["type"].as_str() {
        None => Value::Null,
        Some("int") if value.is_string() => json!({"i": value}),
        Some("float") => json!({"f": operand["bits"]}),
        Some("str") if operand["utf8"].is_string() => json!({"u": operand["utf8"]}),
        Some("bytes") => json!({"b": value}),
        Some("bytearray") => json!({"ba": value}),
        Some("global") => {
            let name = |key: &str| operand[key].as_str().unwrap();
            json!(format!("{} {}", name("module"), name("name")))
        }
        Some(_) => value.clone(),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap();
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::try_from((digit(pair[0]) << 4) | digit(pair[1])).unwrap())
        .collect()
}

fn release(text: &str) -> Version {
    let mut parts = text.split('.').map(|part| part.parse().unwrap());
    assert_eq!(parts.next(), Some(3));
    Version {
        minor: parts.next().unwrap(),
        patch: parts.next().unwrap(),
    }
}

/// What `genops` and `dis` made of a vector, in each release that was recorded.
fn recorded(vector: &Value) -> Vec<(Version, Value, Value)> {
    let (genops, dis) = (&vector["genops_result"], &vector["dis_result"]);
    let mut all = vec![(Version::CLASSIC, genops.clone(), dis.clone())];
    for other in vector["xver"].as_array().into_iter().flatten() {
        let result = |key: &str, base: &Value| match &other[key] {
            Value::Null => base.clone(),
            result => result.clone(),
        };
        for name in other["v"].as_array().unwrap() {
            all.push((
                release(name.as_str().unwrap()),
                result("genops_result", genops),
                result("dis_result", dis),
            ));
        }
    }
    all
}

/// Offset, name and argument of each instruction; what two loaders run stands there twice.
fn instructions(records: &[Value]) -> Vec<Value> {
    let mut listed: Vec<Value> = Vec::new();
    for record in records
        .iter()
        .filter(|record| record["type"] == "instruction")
    {
        let offset = &record["offset"];
        if listed.last().is_none_or(|last| last[0] != *offset) {
            listed.push(json!([
                offset,
                record["opcode"],
                as_recorded(&record["operand"])
            ]));
        }
    }
    listed
}

/// Every stream is listed with the offsets, names and arguments of `pickletools.genops`, whole where
/// that accepts it, else up to its error; and what `pickletools.dis` accepts is said.
#[test]
fn arguments_are_those_of_pickletools() {
    let vectors = std::fs::read_to_string(folder().join("vectors/unpickler.jsonl")).unwrap();
    let (mut accepted, mut refused, mut operations) = (0_usize, 0_usize, 0_usize);
    let mut different = Vec::new();
    for line in vectors.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let bytes = unhex(vector["hex"].as_str().unwrap());
        for (version, genops, dis) in recorded(&vector) {
            let mut options = Options {
                form: Form::Json,
                ..Options::default()
            };
            options.machine.version = version;
            let text = at_0(&bytes, options);
            let records: Vec<Value> = text
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            let listed = instructions(&records);
            let expected = genops["ops"]
                .as_array()
                .map_or(&[] as &[Value], Vec::as_slice);
            operations = operations.saturating_add(expected.len());
            let (by_genops, by_dis) = (
                named(&records, "pickletools"),
                named(&records, "pickletools.dis"),
            );
            let mut same = listed.starts_with(expected)
                && by_genops["error"].is_null() == (genops["ok"] == true)
                && by_dis["error"].is_null() == (dis["ok"] == true);
            if genops["ok"] == true {
                accepted = accepted.saturating_add(1);
                // Of very long streams only the first operations are recorded.
                same &=
                    json!(listed.len()) == genops["n"] && by_genops["consumed"] == genops["end"];
            } else {
                refused = refused.saturating_add(1);
            }
            if !same {
                different.push(format!(
                    "{} 3.{}.{}\n  expected {genops} {dis}\n  found    {} {by_genops} {by_dis}",
                    vector["id"],
                    version.minor,
                    version.patch,
                    json!(listed)
                ));
            }
        }
    }
    println!(
        "{accepted} results accepted, {refused} up to an error, {operations} operations compared"
    );
    assert!(
        different.is_empty(),
        "{} differ:\n{}",
        different.len(),
        different[..different.len().min(20)].join("\n")
    );
    assert!(accepted > 4000, "{accepted}");
}

/// Neither damage nor chance makes it panic, and both forms list the same instructions.
#[test]
fn damaged_samples() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap()
    };
    for sample in samples().unwrap() {
        if sample.bytes.len() > 2000 {
            continue;
        }
        for _ in 0..6 {
            let mut bytes = sample.bytes.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                match (bytes.get_mut(at), random(3)) {
                    (Some(byte), 0) => *byte = u8::try_from(random(256)).unwrap(),
                    (Some(_), 1) => bytes.truncate(at),
                    _ => bytes.insert(at, u8::try_from(random(256)).unwrap()),
                }
            }
            let mut options = Options {
                offset: Some(0),
                stack: true,
                ..Options::default()
            };
            options.machine.dialect = Dialect::ALL[random(3)];
            if bytes.is_empty() {
                continue;
            }
            let text = listing("a", &bytes, &options);
            options.form = Form::Json;
            let json = listing("a", &bytes, &options);
            let number = |line: &&str| {
                let start = line.split(':').next().unwrap_or_default().trim();
                !start.is_empty() && start.bytes().all(|byte| byte.is_ascii_digit())
            };
            let records = json
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap());
            let instructions = records.filter(|record| record["type"] == "instruction");
            assert_eq!(
                text.lines().filter(number).count(),
                instructions.count(),
                "{text}"
            );
        }
    }
}

//! `pickleproof dis` as a user runs it: exit status, what is listed and what is said.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// `os.system('echo pickleproof')`, protocol 0.
const CALL: &[u8] = b"cos\nsystem\n(S'echo pickleproof'\ntR.";

#[test]
fn status_0_for_a_pickle_whole_or_broken() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", CALL);
    let ran = sandbox.run(&["dis", "a.pkl"]).expect_status(0);
    let expected = "\
a.pkl: stream at 0, for pickle.load
    0: c    GLOBAL     'os system'
             -> from os import system
   11: (    MARK
   12: S        STRING     'echo pickleproof'
   32: t        TUPLE      (MARK at 11)
   33: R    REDUCE
             -> os.system('echo pickleproof')
   34: .    STOP
highest protocol among opcodes = 0
c: stops at 34 STOP, 2 effects
python: stops at 34 STOP, 2 effects
pickletools: stops at 34 STOP
pickletools.dis: stops at 34 STOP
";
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (expected, ""));
    sandbox.file("broken.pkl", &[&CALL[..34], b"\xff"].concat());
    let ran = sandbox.run(&["dis", "broken.pkl"]).expect_status(0);
    assert!(
        ran.stdout
            .contains("-- c: UnpicklingError at 34: byte 0xff is no opcode"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("\npython: KeyError at 34: "), "{ran:?}");
}

#[test]
fn standard_input() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run_with_input(&["dis", "-"], CALL).expect_status(0);
    assert!(
        ran.stdout.starts_with("-: stream at 0, for pickle.load\n"),
        "{ran:?}"
    );
    sandbox.run_with_input(&["dis", "-"], b"").expect_status(3);
}

#[test]
fn status_2_for_what_is_missing_and_for_wrong_usage() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", CALL);
    let ran = sandbox.run(&["dis", "missing.pkl"]).expect_status(2);
    assert!(
        ran.stderr
            .starts_with("pickleproof: missing.pkl: No such file"),
        "{ran:?}"
    );
    assert_eq!(ran.stdout, "");
    let ran = sandbox.run(&["dis", "."]).expect_status(2);
    assert!(ran.stderr.contains("a folder"), "{ran:?}");
    for args in [
        &["dis"] as &[&str],
        &["dis", "a.pkl", "a.pkl"],
        &["dis", "--dialect", "perl", "a.pkl"],
        &["dis", "--python", "2.7", "a.pkl"],
        &["dis", "--offset", "-1", "a.pkl"],
    ] {
        let ran = sandbox.run(args).expect_status(2);
        assert_eq!(ran.stdout, "", "{args:?}");
    }
}

#[test]
fn status_3_where_there_is_no_pickle() {
    let sandbox = Sandbox::new();
    sandbox.file("a.txt", b"{\"a\": 1}\n");
    let ran = sandbox.run(&["dis", "a.txt"]).expect_status(3);
    assert!(
        ran.stderr.contains("a.txt: no pickle found; --offset 0"),
        "{ran:?}"
    );
    // All the same, if that is what the user wants.
    let ran = sandbox
        .run(&["dis", "--offset", "0", "a.txt"])
        .expect_status(0);
    assert!(ran.stdout.contains("-- c: UnpicklingError at 0"), "{ran:?}");
    let ran = sandbox
        .run(&["dis", "--offset", "8", "a.txt"])
        .expect_status(0);
    assert!(ran.stdout.contains("byte 0x0a is no opcode"), "{ran:?}");
    sandbox
        .run(&["dis", "--offset", "9", "a.txt"])
        .expect_status(3);
}

#[test]
fn json_is_a_document_a_line() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", &[CALL, b"\x80\x02N."].concat());
    let ran = sandbox.run(&["dis", "--json", "a.pkl"]).expect_status(0);
    let records: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<&str> = records
        .iter()
        .map(|record| record["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "stream").count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == "summary").count(), 2);
    assert_eq!(records[0]["schema"], "pickleproof/dis/v1");
    assert_eq!(records[1]["operand"]["module"], "os");
    assert_eq!(
        records[5]["effects"][0]["text"],
        "os.system('echo pickleproof')"
    );
}

#[test]
fn hostile_names_and_text_obey_nobody() {
    let sandbox = Sandbox::new();
    let name = "\x1b[2J\u{202e}.pkl";
    let text = "S'\x1b]0;x\x07\u{202e}'\n";
    sandbox.file(name, format!("cos\nsystem\n({text}tR.").as_bytes());
    for form in [
        &["dis", "--full", name] as &[&str],
        &["dis", "--json", name],
    ] {
        let ran = sandbox.run(form).expect_status(0);
        let bad = |character: char| {
            character == '\u{202e}' || (character.is_control() && character != '\n')
        };
        assert!(!ran.stdout.contains(bad), "{ran:?}");
    }
    let ran = sandbox.run(&["dis", "no\x1b[2Jsuch"]).expect_status(2);
    assert!(!ran.stderr.contains('\x1b'), "{ran:?}");
}

#[test]
fn releases_and_dialects_can_be_chosen() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", b"\x80\x02I010\n.");
    let shown = |args: &[&str]| {
        let args = [&["dis", "a.pkl"], args].concat();
        sandbox.run(&args).expect_status(0).stdout
    };
    assert!(shown(&[]).contains("INT        10 (c reads 8)\n"));
    assert!(shown(&["--python", "3.14"]).contains("INT        10\n"));
    assert!(shown(&["--dialect", "python"]).contains("-- python: ValueError at 2"));
    assert!(shown(&["--dialect", "pickletools"]).contains("INT        10\n"));
}

#[test]
fn a_closed_pipe_and_a_full_disk_are_no_success() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", CALL);
    // More than any buffer holds.
    let long = [b"N0".repeat(100_000).as_slice(), b"N."].concat();
    sandbox.file("long.pkl", &long);
    for file in ["a.pkl", "long.pkl"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = sandbox
            .command(&["dis", file])
            .stdout(writer)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(2));
    }
    if let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") {
        let output = sandbox
            .command(&["dis", "a.pkl"])
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"));
    }
}

#[test]
fn the_state_and_the_meaning_of_opcodes_are_shown_when_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", CALL);
    let ran = sandbox
        .run(&["dis", "--stack", "--annotate", "a.pkl"])
        .expect_status(0);
    assert!(
        ran.stdout
            .contains("stack: os.system | MARK | 'echo pickleproof'\n"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("# Pushes a mark.\n"), "{ran:?}");
}

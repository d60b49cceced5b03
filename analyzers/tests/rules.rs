//! Every rule fires on one sample and is silent on its harmless twin.

#![expect(clippy::too_many_lines, reason = "one table, a row a rule")]

use pickleproof_analyzers::rules::RULES;
use pickleproof_analyzers::{Options, judge};
use pickleproof_corpus::assemble;

const SYSTEM: &str =
    "GLOBAL \"os\" \"system\"\nMARK\nUNICODE \"echo pickleproof\"\nTUPLE\nREDUCE\n";

/// Rule, a source on which it fires, one on which it does not.
fn cases() -> Vec<(&'static str, String, String)> {
    let made = |class: &str| format!("PROTO 2\nGLOBAL {class}\nEMPTY_TUPLE\nNEWOBJ\n");
    let unknown = made("\"acme\" \"Thing\"");
    let known = made("\"types\" \"SimpleNamespace\"");
    let state = "EMPTY_DICT\nBINUNICODE \"a\"\nBININT1 1\nSETITEM\nBUILD\nSTOP";
    let zip =
        |local: &str| format!(".zip {{\n.member \"a.pkl\"{local} {{\nPROTO 2\nNONE\nSTOP\n}}\n}}");
    let owned = |text: &str| text.to_owned();
    vec![
        (
            "sink-called",
            format!("{SYSTEM}STOP"),
            owned("UNICODE \"os.system\"\nSTOP"),
        ),
        (
            "sink-imported",
            owned("GLOBAL \"os\" \"system\"\nSTOP"),
            format!("{SYSTEM}STOP"),
        ),
        (
            "dual-use-called",
            owned("GLOBAL \"os\" \"getenv\"\nMARK\nUNICODE \"A\"\nTUPLE\nREDUCE\nSTOP"),
            owned(
                "GLOBAL \"builtins\" \"getattr\"\nMARK\nUNICODE \"abc\"\nUNICODE \"upper\"\nTUPLE\nREDUCE\nSTOP",
            ),
        ),
        (
            "dual-use-imported",
            owned("GLOBAL \"os\" \"getenv\"\nSTOP"),
            owned("GLOBAL \"collections\" \"OrderedDict\"\nSTOP"),
        ),
        (
            "unknown-called",
            format!("{unknown}STOP"),
            format!("{known}STOP"),
        ),
        (
            "unknown-imported",
            owned("GLOBAL \"acme\" \"thing\"\nSTOP"),
            owned("GLOBAL \"collections\" \"OrderedDict\"\nSTOP"),
        ),
        (
            "unexpected-arguments",
            owned(
                "PROTO 3\nGLOBAL \"collections\" \"defaultdict\"\nGLOBAL \"acme\" \"factory\"\nTUPLE1\nREDUCE\nSTOP",
            ),
            owned(
                "PROTO 3\nGLOBAL \"collections\" \"defaultdict\"\nGLOBAL \"builtins\" \"list\"\nTUPLE1\nREDUCE\nSTOP",
            ),
        ),
        (
            "unresolved-call",
            owned("PERSID \"a\"\nEMPTY_TUPLE\nREDUCE\nSTOP"),
            owned("GLOBAL \"collections\" \"OrderedDict\"\nEMPTY_TUPLE\nREDUCE\nSTOP"),
        ),
        (
            "global-rewired",
            format!("PROTO 2\nGLOBAL \"numpy\" \"mean\"\n{state}"),
            format!("{known}{state}"),
        ),
        (
            "method-planted",
            format!(
                "{known}EMPTY_DICT\nBINUNICODE \"__setstate__\"\nGLOBAL \"acme\" \"f\"\nSETITEM\nBUILD\nSTOP"
            ),
            format!("{known}EMPTY_DICT\nBINUNICODE \"__setstate__\"\nNONE\nSETITEM\nBUILD\nSTOP"),
        ),
        (
            "untrusted-state",
            format!("{unknown}{state}"),
            format!("{known}{state}"),
        ),
        (
            "persistent-id",
            owned("PROTO 2\nBINUNICODE \"id\"\nBINPERSID\nSTOP"),
            owned("PROTO 2\nBINUNICODE \"id\"\nSTOP"),
        ),
        (
            "payload-loaded",
            owned(
                "PROTO 3\nGLOBAL \"pickle\" \"loads\"\nSHORT_BINBYTES b\"N.\"\nTUPLE1\nREDUCE\nSTOP",
            ),
            owned("PROTO 3\nSHORT_BINBYTES b\"N.\"\nTUPLE1\nSTOP"),
        ),
        (
            "computed-import",
            owned(
                "PROTO 4\nUNICODE \"os\"\nGLOBAL \"builtins\" \"str.lower\"\nUNICODE \"SYSTEM\"\nTUPLE1\nREDUCE\nSTACK_GLOBAL\nSTOP",
            ),
            owned("PROTO 4\nUNICODE \"os\"\nUNICODE \"system\"\nSTACK_GLOBAL\nSTOP"),
        ),
        (
            "extension-code",
            owned("PROTO 2\nEXT1 240\nSTOP"),
            owned("PROTO 2\nBININT1 240\nSTOP"),
        ),
        (
            "broken-stream",
            format!("{SYSTEM}.bytes ff"),
            format!("{SYSTEM}STOP"),
        ),
        (
            "frame-overrun",
            owned("PROTO 4\nFRAME 3\nBINUNICODE \"text\"\nSTOP"),
            owned("PROTO 4\nFRAME auto\nBINUNICODE \"text\"\nSTOP"),
        ),
        (
            "dialect-difference",
            owned("GLOBAL \"builtins\" \"bytearray\"\nMARK\nINT 010\nTUPLE\nREDUCE\nSTOP"),
            owned("GLOBAL \"builtins\" \"bytearray\"\nMARK\nINT 10\nTUPLE\nREDUCE\nSTOP"),
        ),
        (
            "resource-cost",
            owned("NONE\nLONG_BINPUT 536870912\nSTOP"),
            owned("NONE\nLONG_BINPUT 300\nSTOP"),
        ),
        (
            "trailing-data",
            owned("PROTO 2\nNONE\nSTOP\n.text \"rest\""),
            owned("PROTO 2\nNONE\nSTOP"),
        ),
        (
            "carved-stream",
            format!(".text \"HEADER\"\nPROTO 2\n{SYSTEM}STOP"),
            format!("PROTO 2\n{SYSTEM}STOP"),
        ),
        (
            "container-difference",
            zip(" local-name=\"b.txt\""),
            zip(""),
        ),
    ]
}

#[test]
fn every_rule_fires_and_keeps_silent() {
    let cases = cases();
    for rule in RULES {
        let (_, firing, silent) = cases.iter().find(|(id, _, _)| *id == rule.id).unwrap();
        let fires = |source: &str| {
            let bytes = assemble(source).unwrap_or_else(|error| panic!("{}: {error}", rule.id));
            let judgement = judge("sample", &bytes, &Options::default());
            judgement
                .findings
                .iter()
                .any(|finding| finding.rule == rule.id)
        };
        assert!(fires(firing), "{} does not fire", rule.id);
        assert!(!fires(silent), "{} fires on its twin", rule.id);
    }
    assert_eq!(cases.len(), RULES.len());
}

#[test]
fn a_finding_shows_how_the_call_came_about() {
    let source = "PROTO 4\nSHORT_BINUNICODE \"os\"\nMEMOIZE\nSHORT_BINUNICODE \"system\"\nMEMOIZE\nSTACK_GLOBAL\n\
                  SHORT_BINUNICODE \"echo pickleproof\"\nTUPLE1\nREDUCE\nSTOP";
    let judgement = judge("sample", &assemble(source).unwrap(), &Options::default());
    let finding = judgement.findings.first().unwrap();
    let notes: Vec<&str> = finding
        .evidence
        .iter()
        .map(|step| step.note.as_str())
        .collect();
    assert_eq!(
        notes,
        [
            "pushes 'os'",
            "pushes 'system'",
            "from os import system",
            "os.system('echo pickleproof')"
        ]
    );
    assert!(!finding.witness.is_empty());
}

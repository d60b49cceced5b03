//! Hand-built judgements, as the analyzers would hand them over.

use pickleproof_analyzers::judgement::{
    ArtifactJudgement, Capability, Confidence, EffectRecord, Evidence, Finding, Gap, ImportRecord,
    Integrity, Risk, Severity, StreamError, StreamJudgement, Trust,
};
use pickleproof_reports::v1::{Artifact, Error, Report, Tool};

fn report(artifacts: Vec<Artifact>, errors: Vec<Error>) -> Report {
    let tool = Tool {
        name: "pickleproof".into(),
        version: "0.0.0".into(),
        knowledge_base: "c0ffee".into(),
    };
    let times = (
        "2026-11-24T04:03:00Z".to_owned(),
        "2026-11-24T04:03:01Z".to_owned(),
    );
    Report::new(tool, times, artifacts, errors)
}

fn artifact(path: &str, judgement: ArtifactJudgement) -> Artifact {
    let sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned();
    Artifact::new(path.to_owned(), 42, Some(sha256), judgement)
}

fn judgement(format: &'static str, risk: Risk, integrity: Integrity) -> ArtifactJudgement {
    ArtifactJudgement {
        format,
        risk,
        integrity,
        streams: Vec::new(),
        findings: Vec::new(),
        gaps: Vec::new(),
    }
}

fn stream(location: &str, risk: Risk, integrity: Integrity) -> StreamJudgement {
    StreamJudgement {
        location: location.to_owned(),
        offset: 0,
        length: 42,
        protocol: 2,
        loader: "pickle.load",
        instructions: 7,
        risk,
        integrity,
        error: None,
        imports: Vec::new(),
        effects: Vec::new(),
        effects_total: 0,
        readings: Vec::new(),
    }
}

fn finding(location: &str, offset: u64, severity: Severity, message: &str) -> Finding {
    let (rule, title) = match severity {
        Severity::Critical => ("sink-called", "A sink is called"),
        _ => ("unknown-global", "A global is on no list"),
    };
    Finding {
        rule,
        title,
        severity,
        confidence: Confidence::High,
        message: message.to_owned(),
        location: location.to_owned(),
        offset,
        length: 1,
        evidence: Vec::new(),
        witness: Vec::new(),
        references: &[],
    }
}

/// `os.system('echo pickleproof')` and then the end of the bytes.
fn malicious(path: &str, location: &str) -> Artifact {
    let mut stream = stream(location, Risk::Malicious, Integrity::Truncated);
    stream.imports.push(ImportRecord {
        module: "os".into(),
        name: "system".into(),
        offset: 0,
        trust: Trust::Sink,
        capabilities: vec![Capability::Process, Capability::FsWrite],
    });
    stream.effects.push(EffectRecord {
        kind: "import",
        offset: 0,
        opcode: "GLOBAL",
        text: "os.system".into(),
        risk: Risk::Suspicious,
    });
    stream.effects.push(EffectRecord {
        kind: "call",
        offset: 33,
        opcode: "REDUCE",
        text: "os.system('echo pickleproof')".into(),
        risk: Risk::Malicious,
    });
    stream.effects_total = 2;
    stream.error = Some(StreamError {
        kind: "end-of-data",
        python_exception: "EOFError",
        offset: 42,
        message: "the data ends before STOP at offset 42".into(),
    });
    let mut finding = finding(
        location,
        33,
        Severity::Critical,
        "calls os.system('echo pickleproof'), which runs a command in a shell",
    );
    finding.evidence.push(Evidence {
        offset: 0,
        opcode: "GLOBAL",
        note: "names os.system".into(),
    });
    finding.witness = vec!["os.system".into(), "posix.system".into()];
    finding.references = &["https://cwe.mitre.org/data/definitions/502.html"];
    let mut judgement = judgement("torch-zip", Risk::Malicious, Integrity::Truncated);
    judgement.streams.push(stream);
    judgement.findings.push(finding);
    artifact(path, judgement)
}

fn unknown(path: &str) -> Artifact {
    let mut judgement = judgement("pickle", Risk::Review, Integrity::Complete);
    judgement
        .streams
        .push(stream(path, Risk::Review, Integrity::Complete));
    judgement.findings.push(finding(
        path,
        7,
        Severity::Medium,
        "imports mypackage.models.Thing, which is on no list: what it does when it is constructed \
         is not known",
    ));
    artifact(path, judgement)
}

fn gap(path: &str) -> Artifact {
    let mut judgement = judgement("7z", Risk::Review, Integrity::Limited);
    judgement.gaps.push(Gap {
        location: format!("{path}!/data.pkl"),
        offset: 0,
        reason: "the member is encrypted".into(),
    });
    artifact(path, judgement)
}

/// One artifact of each kind, out of order.
pub(crate) fn mixed() -> Report {
    let mut inert = artifact(
        "data.pkl",
        judgement("pickle", Risk::Inert, Integrity::Complete),
    );
    inert.sha256 = None;
    let mut trusted = judgement("pickle", Risk::Trusted, Integrity::Trailing);
    trusted
        .streams
        .push(stream("a/counter.pkl", Risk::Trusted, Integrity::Complete));
    let long = "a/very/long/path/to/the/second/of/the/models/that/is/not/so/good/model.bin";
    report(
        vec![
            inert,
            unknown("unknown.pkl"),
            malicious("model.pt", "model.pt!/archive/data.pkl"),
            artifact("a/counter.pkl", trusted),
            gap("secret.7z"),
            malicious(long, &format!("{long}!/archive/data.pkl")),
        ],
        vec![
            Error {
                path: "z.pkl".into(),
                message: "Permission denied (os error 13)".into(),
            },
            Error {
                path: "pipe".into(),
                message: "a named pipe, not a regular file: not opened".into(),
            },
        ],
    )
}

pub(crate) fn empty() -> Report {
    report(Vec::new(), Vec::new())
}

/// Names and messages that try to take over a terminal.
pub(crate) fn hostile() -> Report {
    let name = "\x1b[2J\x1b]0;owned\x07\r\ninert       complete    pickle  fake.pkl\u{9b}31m\
                \u{202e}lkp.lairetam\u{200b}\u{e0041} 模型模型模型 \u{301}\u{301}";
    let member = format!("{name}!/{name}");
    let mut bad = malicious(name, &member);
    bad.findings[0].message = format!("calls {name}");
    bad.streams[0].effects[1].text = format!("os.system({name:?}) {name}");
    bad.streams[0].error.as_mut().unwrap().message = name.to_owned();
    let mut limited = gap(name);
    limited.gaps[0].reason = name.to_owned();
    report(
        vec![bad, limited, unknown(name)],
        vec![Error {
            path: name.to_owned(),
            message: name.to_owned(),
        }],
    )
}

/// Ten megabytes wherever there is text.
pub(crate) fn huge() -> Report {
    let name = "x".repeat(10 << 20);
    let mut bad = malicious(&name, &format!("{name}!/{name}"));
    bad.findings[0].message.clone_from(&name);
    bad.streams[0].effects[1].text.clone_from(&name);
    report(vec![bad], Vec::new())
}

pub(crate) fn many_findings() -> Report {
    let mut all = judgement("pickle", Risk::Review, Integrity::Complete);
    all.findings = (0..25)
        .map(|offset| finding("m.pkl", offset, Severity::Medium, "imports it"))
        .collect();
    report(vec![artifact("m.pkl", all)], Vec::new())
}

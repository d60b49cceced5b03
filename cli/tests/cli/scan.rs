//! `pickleproof scan` as a user runs it: exit status, reports, what is scanned and what is said.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// `None`, protocol 2.
const INERT: &[u8] = b"\x80\x02N.";
/// `os.system('echo pickleproof')`, protocol 0.
const MALICIOUS: &[u8] = b"cos\nsystem\n(S'echo pickleproof'\ntR.";

fn paths(report: &Value) -> Vec<&str> {
    let artifacts = report["artifacts"].as_array().unwrap();
    artifacts
        .iter()
        .map(|artifact| artifact["path"].as_str().unwrap())
        .collect()
}

fn errors(report: &Value) -> Vec<(&str, &str)> {
    let errors = report["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| {
            (
                error["path"].as_str().unwrap(),
                error["message"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn status_0_for_inert_files() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", INERT);
    sandbox.file("sub/b.pkl", INERT);
    let ran = sandbox.run(&["scan", "."]).expect_status(0);
    assert!(
        ran.stdout.contains("./a.pkl") && ran.stdout.contains("./sub/b.pkl"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.ends_with("2 artifacts, 2 streams: 2 inert\n"),
        "{ran:?}"
    );
    assert_eq!(ran.stderr, "");
}

#[test]
fn an_empty_file_is_scanned() {
    let sandbox = Sandbox::new();
    sandbox.file("empty", b"");
    let ran = sandbox.run(&["scan", "--format", "json", "--fail-on", "never", "empty"]);
    let report = ran.expect_status(0).json();
    assert_eq!(paths(&report), ["empty"]);
    assert_eq!(report["artifacts"][0]["size"], 0);
}

#[test]
fn status_1_for_a_malicious_file() {
    let sandbox = Sandbox::new();
    sandbox.file("bad.pkl", MALICIOUS);
    for fail_on in ["review", "suspicious", "malicious"] {
        let ran = sandbox
            .run(&["scan", "--fail-on", fail_on, "bad.pkl"])
            .expect_status(1);
        assert!(
            ran.stdout.contains("os.system('echo pickleproof')"),
            "{ran:?}"
        );
        assert!(
            ran.stdout.ends_with("1 artifact, 1 stream: 1 malicious\n"),
            "{ran:?}"
        );
    }
    sandbox
        .run(&["scan", "--fail-on", "never", "bad.pkl"])
        .expect_status(0);
    // Read or mapped, it is the same.
    sandbox.file("large.pkl", &[MALICIOUS, &vec![0; 1 << 20]].concat());
    sandbox.run(&["scan", "large.pkl"]).expect_status(1);
}

#[test]
fn status_1_wins_over_2() {
    let sandbox = Sandbox::new();
    sandbox.file("bad.pkl", MALICIOUS);
    sandbox
        .run(&["scan", "bad.pkl", "missing"])
        .expect_status(1);
    sandbox
        .run(&["scan", "--fail-on", "never", "bad.pkl", "missing"])
        .expect_status(2);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = sandbox
        .command(&["scan", "bad.pkl"])
        .stdout(writer)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn status_2_for_what_is_missing() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", INERT);
    let ran = sandbox
        .run(&["scan", "a.pkl", "missing.pkl"])
        .expect_status(2);
    assert!(
        ran.stdout.contains("error: missing.pkl: No such file"),
        "{ran:?}"
    );
    assert!(
        ran.stdout
            .ends_with("1 artifact, 1 stream: 1 inert; 1 error\n"),
        "{ran:?}"
    );
    let ran = sandbox
        .run(&["scan", "--format=json", "missing.pkl"])
        .expect_status(2);
    assert!(
        ran.stderr
            .starts_with("pickleproof: missing.pkl: No such file"),
        "{ran:?}"
    );
}

#[test]
fn status_2_for_wrong_usage() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", INERT);
    for args in [
        &["scan"] as &[&str],
        &[],
        &["scam", "a.pkl"],
        &["scan", "--format", "xml", "a.pkl"],
        &["scan", "--report", "json", "a.pkl"],
        &["scan", "--report", "xml=x", "a.pkl"],
        &["scan", "--report", "json=no/such/folder/x", "a.pkl"],
        &["scan", "--report", "json=.", "a.pkl"],
        &["scan", "--fail-on", "inert", "a.pkl"],
        &["scan", "--jobs", "0", "a.pkl"],
    ] {
        let ran = sandbox.run(args).expect_status(2);
        assert_eq!(ran.stdout, "");
        assert_ne!(ran.stderr, "", "{args:?}");
    }
}

#[test]
fn status_3_for_nothing_to_scan() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("empty")).unwrap();
    let ran = sandbox.run(&["scan", "empty"]).expect_status(3);
    assert_eq!(ran.stdout, "0 artifacts, 0 streams\n");
    assert_eq!(ran.stderr, "pickleproof: nothing to scan\n");
}

#[test]
fn standard_input() {
    let sandbox = Sandbox::new();
    let ran = sandbox
        .run_with_input(&["scan", "--format=json", "-"], INERT)
        .expect_status(0);
    let report = ran.json();
    assert_eq!(paths(&report), ["-"]);
    assert_eq!(report["artifacts"][0]["size"], 4);
    sandbox
        .run_with_input(&["scan", "-"], MALICIOUS)
        .expect_status(1);
}

#[test]
fn the_json_is_valid_and_hashed() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", INERT);
    sandbox.file("bad.pkl", MALICIOUS);
    let args = ["scan", "--format=json", "--fail-on=never", ".", "missing"];
    let report = sandbox.run(&args).expect_status(2).json();
    let schema = sandbox.run(&["rules", "--schema"]).expect_status(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(report["schema"], "pickleproof/report/v1");
    assert_eq!(
        report["artifacts"][0]["sha256"],
        "e71559db7df35982f168ca0bd6d35a0270e621095a7bfd0c3a1773ed09ae1a44"
    );

    let report = sandbox
        .run(&["scan", "--format=json", "--no-hash", "a.pkl"])
        .json();
    assert_eq!(report["artifacts"][0]["sha256"], Value::Null);
}

#[test]
fn reports_are_written_to_files_too() {
    let sandbox = Sandbox::new();
    sandbox.file("in/a.pkl", INERT);
    sandbox.file("r.json", b"old");
    let ran = sandbox.run(&[
        "scan",
        "in",
        "--report",
        "json=r.json",
        "--report=table=t.txt",
    ]);
    let table = ran.expect_status(0).stdout;
    assert_eq!(fs::read_to_string(sandbox.path("t.txt")).unwrap(), table);
    let json = fs::read(sandbox.path("r.json")).unwrap();
    assert_eq!(paths(&serde_json::from_slice(&json).unwrap()), ["in/a.pkl"]);
    // Nothing is left of the temporary names.
    assert_eq!(fs::read_dir(sandbox.path("")).unwrap().count(), 3);
}

#[test]
fn a_closed_pipe_is_no_success() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", INERT);
    for args in [
        &["scan", "a.pkl", "--report", "json=r.json"] as &[&str],
        &["scan", "--format=json", "a.pkl"],
        &["rules", "--schema"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = sandbox
            .command(args)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
    // The report in a file is complete all the same.
    let json = fs::read(sandbox.path("r.json")).unwrap();
    assert_eq!(paths(&serde_json::from_slice(&json).unwrap()), ["a.pkl"]);
}

#[test]
fn the_number_of_jobs_changes_nothing() {
    let sandbox = Sandbox::new();
    for number in 0..60 {
        let bytes = if number % 7 == 0 { MALICIOUS } else { INERT };
        sandbox.file(format!("d{}/{number}.pkl", number % 5), bytes);
    }
    let run = |jobs: &str| {
        let args = [
            "scan",
            "--format=json",
            "--fail-on=never",
            "--jobs",
            jobs,
            ".",
            "missing",
        ];
        let mut report = sandbox.run(&args).expect_status(2).json();
        report["started"] = Value::Null;
        report["finished"] = Value::Null;
        report
    };
    let one = run("1");
    assert!(paths(&one).is_sorted() && paths(&one).len() == 60);
    for jobs in ["2", "8", "64"] {
        assert_eq!(run(jobs), one);
    }
}

#[test]
fn a_path_given_twice_is_scanned_once() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", INERT);
    let report = sandbox
        .run(&["scan", "--format=json", "a.pkl", "a.pkl"])
        .json();
    assert_eq!(paths(&report), ["a.pkl"]);
}

#[test]
fn ignore_files_and_hidden_files_hide_nothing() {
    let sandbox = Sandbox::new();
    sandbox.file(".gitignore", b"*.pkl\n");
    sandbox.file(".hidden/a.pkl", INERT);
    let report = sandbox
        .run(&["scan", "--format=json", "--fail-on=never", "."])
        .json();
    assert_eq!(paths(&report), ["./.gitignore", "./.hidden/a.pkl"]);
}

#[test]
fn colour_only_where_it_is_wanted() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", INERT);
    let run = |color: &str| sandbox.run(&["scan", "a.pkl", "--color", color]).stdout;
    assert!(!run("auto").contains('\x1b'));
    assert!(!run("never").contains('\x1b'));
    assert!(run("always").contains('\x1b'));
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn special_files_are_errors_and_are_not_opened() {
        let sandbox = Sandbox::new();
        sandbox.file("in/a.pkl", INERT);
        let pipe = sandbox.path("in/pipe");
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        symlink("pipe", sandbox.path("in/to-pipe")).unwrap();
        symlink("nowhere", sandbox.path("in/dangling")).unwrap();
        symlink("loop", sandbox.path("in/loop")).unwrap();
        // The name of a socket can't be long.
        let socket = std::env::temp_dir().join(format!("pickleproof-{}", std::process::id()));
        let listener = UnixListener::bind(&socket).unwrap();
        let args = [
            "scan",
            "--format=json",
            "in",
            socket.to_str().unwrap(),
            "/dev/zero",
        ];
        let report = sandbox.run(&args).expect_status(2).json();
        drop(listener);
        fs::remove_file(&socket).unwrap();

        assert_eq!(paths(&report), ["in/a.pkl"]);
        let errors = errors(&report);
        let message = |path: &str| errors.iter().find(|error| error.0 == path).unwrap().1;
        assert_eq!(
            message("in/pipe"),
            "a named pipe, not a regular file: not opened"
        );
        assert_eq!(
            message("in/to-pipe"),
            "a named pipe, not a regular file: not opened"
        );
        assert_eq!(
            message("/dev/zero"),
            "a device, not a regular file: not opened"
        );
        assert!(message(socket.to_str().unwrap()).starts_with("a socket"));
        assert!(message("in/dangling").starts_with("No such file"));
        assert!(message("in/loop").starts_with("Too many levels"));
        assert_eq!(errors.len(), 6);
    }

    #[test]
    fn links() {
        let sandbox = Sandbox::new();
        sandbox.file("in/real/a.pkl", INERT);
        sandbox.file("out/b.pkl", INERT);
        symlink("../out/b.pkl", sandbox.path("in/to-file")).unwrap();
        symlink(".", sandbox.path("in/to-itself")).unwrap();
        symlink("real", sandbox.path("in/to-real")).unwrap();
        symlink("in", sandbox.path("to-in")).unwrap();

        let report = sandbox
            .run(&["scan", "--format=json", "in"])
            .expect_status(0)
            .json();
        assert_eq!(paths(&report), ["in/real/a.pkl", "in/to-file"]);
        let report = sandbox
            .run(&["scan", "--format=json", "to-in"])
            .expect_status(0)
            .json();
        assert_eq!(paths(&report), ["to-in/real/a.pkl", "to-in/to-file"]);

        // What is behind such a link was not scanned, and that is said, unless it is.
        symlink("../out", sandbox.path("in/to-out")).unwrap();
        let report = sandbox
            .run(&["scan", "--format=json", "in"])
            .expect_status(2)
            .json();
        assert_eq!(paths(&report), ["in/real/a.pkl", "in/to-file"]);
        assert_eq!(errors(&report)[0].0, "in/to-out");
        sandbox.run(&["scan", "in", "out"]).expect_status(0);
    }

    #[test]
    fn hostile_names_are_shown_and_obey_nobody() {
        let sandbox = Sandbox::new();
        let names: [&[u8]; 5] = [
            b"a\nb.pkl",
            b"\x1b[2Jc.pkl",
            b"d\xff\xfe.pkl",
            br"d\xff\xfe.pkl",
            b"-e.pkl",
        ];
        for name in names {
            sandbox.file(OsStr::from_bytes(name), INERT);
        }
        let ran = sandbox.run(&["scan", "."]).expect_status(0);
        for shown in [
            r"./a\nb.pkl",
            r"./\x1b[2Jc.pkl",
            r"./d\xff\xfe.pkl",
            r"./d\\xff\\xfe.pkl",
        ] {
            assert!(ran.stdout.contains(shown), "{shown}: {ran:?}");
        }
        assert!(!ran.stdout.contains('\x1b'));
        let report = sandbox.run(&["scan", "--format=json", "."]).json();
        assert!(paths(&report).contains(&"./\x1b[2Jc.pkl"));
        // Named by hand, and in messages.
        sandbox.run(&["scan", "--", "-e.pkl"]).expect_status(0);
        let ran = sandbox
            .run(&["scan", "--format=json", "no\x1b[2Jsuch"])
            .expect_status(2);
        assert!(ran.stderr.contains(r"no\x1b[2Jsuch") && !ran.stderr.contains('\x1b'));
        let missing = OsStr::from_bytes(b"no\xffsuch");
        let output = sandbox.command(&["scan"]).arg(missing).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stdout).contains(r"no\xffsuch"));
    }

    #[test]
    fn an_unreadable_file_is_an_error_and_the_scan_goes_on() {
        use std::os::unix::fs::PermissionsExt as _;

        let sandbox = Sandbox::new();
        sandbox.file("in/a.pkl", INERT);
        sandbox.file("in/b.pkl", INERT);
        let locked = sandbox.path("in/a.pkl");
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
        if fs::read(&locked).is_ok() {
            return; // Root reads everything.
        }
        let report = sandbox
            .run(&["scan", "--format=json", "in"])
            .expect_status(2)
            .json();
        assert_eq!(paths(&report), ["in/b.pkl"]);
        assert_eq!(errors(&report)[0].0, "in/a.pkl");
    }

    #[test]
    fn a_report_replaces_no_device_and_no_link() {
        let sandbox = Sandbox::new();
        sandbox.file("a.pkl", INERT);
        let ran = sandbox
            .run(&["scan", "a.pkl", "--report", "json=/dev/null"])
            .expect_status(2);
        assert!(ran.stderr.contains("is not a regular file"), "{ran:?}");
        sandbox.file("real.json", b"old");
        symlink("real.json", sandbox.path("link.json")).unwrap();
        sandbox
            .run(&["scan", "a.pkl", "--report", "json=link.json"])
            .expect_status(0);
        assert!(
            fs::symlink_metadata(sandbox.path("link.json"))
                .unwrap()
                .is_symlink()
        );
        assert!(
            fs::read_to_string(sandbox.path("real.json"))
                .unwrap()
                .starts_with('{')
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_success() {
    let sandbox = Sandbox::new();
    sandbox.file("a.pkl", INERT);
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = sandbox
        .command(&["scan", "a.pkl"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.starts_with("pickleproof: standard output: "),
        "{stderr}"
    );
}

//! `pickleproof kb` as a user runs it.

use crate::sandbox::Sandbox;

#[test]
fn a_sink_is_shown_with_the_way_to_the_harm() {
    let sandbox = Sandbox::new();
    let ran = sandbox
        .run(&["kb", "show", "uuid._get_command_stdout"])
        .expect_status(0);
    assert!(ran.stdout.contains("sink"), "{ran:?}");
    assert!(
        ran.stdout
            .contains("uuid._get_command_stdout -> subprocess.Popen"),
        "{ran:?}"
    );
}

#[test]
fn what_is_not_known_is_an_error() {
    let sandbox = Sandbox::new();
    let ran = sandbox
        .run(&["kb", "show", "no\x1bsuch.thing"])
        .expect_status(2);
    assert!(ran.stderr.contains(r"`no\u{1b}such.thing`"), "{ran:?}");
}

#[test]
fn the_sources_are_listed() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["kb", "sources"]).expect_status(0);
    assert!(
        ran.stdout
            .lines()
            .any(|line| line.starts_with("stdlib 3.11"))
    );
}

#[test]
fn an_overlay_that_is_none_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.file("own.kb", b"no knowledge base");
    let ran = sandbox
        .run(&["scan", "--kb", "own.kb", "own.kb"])
        .expect_status(2);
    assert!(ran.stderr.contains("no knowledge base"), "{ran:?}");
}

//! `pickleproof rules`, `--help` and `--version` as a user runs them.

use pickleproof_analyzers::rules::RULES;

use crate::sandbox::Sandbox;

#[test]
fn the_list_has_every_rule() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["rules"]).expect_status(0);
    assert_eq!(ran.stdout.lines().count(), RULES.len());
    for (line, rule) in ran.stdout.lines().zip(RULES) {
        assert!(
            line.starts_with(rule.id) && line.ends_with(rule.title),
            "{line}"
        );
        assert!(line.contains(rule.severity.name()), "{line}");
    }
}

#[test]
fn every_rule_has_a_page() {
    let sandbox = Sandbox::new();
    for rule in RULES {
        let ran = sandbox.run(&["rules", rule.id]).expect_status(0);
        assert!(ran.stdout.starts_with(rule.page.trim_end()), "{}", rule.id);
    }
}

#[test]
fn an_unknown_rule_is_an_error_with_a_hint() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["rules", "no\x1bsuch"]).expect_status(2);
    assert!(
        ran.stderr
            .starts_with(r"pickleproof: no rule `no\x1bsuch`; "),
        "{ran:?}"
    );
    assert_eq!(ran.stdout, "");
    for rule in RULES {
        let ran = sandbox
            .run(&["rules", &format!("{}x", rule.id)])
            .expect_status(2);
        assert!(ran.stderr.contains(&format!("`{}`", rule.id)), "{ran:?}");
    }
}

#[test]
fn help_has_an_example() {
    let sandbox = Sandbox::new();
    for args in [
        &["-h"] as &[&str],
        &["scan", "-h"],
        &["scan", "--help"],
        &["rules", "-h"],
    ] {
        let ran = sandbox.run(args).expect_status(0);
        assert!(ran.stdout.contains("Example:\n  pickleproof "), "{ran:?}");
    }
}

#[test]
fn versions() {
    let sandbox = Sandbox::new();
    let version = format!("pickleproof {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(sandbox.run(&["-V"]).expect_status(0).stdout, version);
    let long = sandbox.run(&["--version"]).expect_status(0).stdout;
    assert!(
        long.starts_with(&version) && long.contains("knowledge base "),
        "{long}"
    );
}

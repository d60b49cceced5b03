//! Ten million levels of nesting neither overflow the stack nor pass a limit in silence.

#![expect(clippy::panic, reason = "a test that panics has failed")]

use pickleproof_core::{
    EffectKind, End, Equality, Fingerprints, LimitKind, Limits, Machine, Options, Trace, ValueKind,
    pickletools,
};

const DEPTH: usize = 10_000_000;

fn run<'a>(stream: &'a [u8], limits: &Limits) -> Trace<'a> {
    let options = Options {
        limits: limits.clone(),
        ..Options::default()
    };
    Machine::new(stream, 0, options).run()
}

fn stream(parts: &[(&[u8], usize)]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|(part, times)| part.repeat(*times))
        .collect()
}

/// The innermost of nested containers, counted.
fn depth(trace: &Trace<'_>) -> usize {
    let End::Stop { root, .. } = trace.end else {
        panic!("{:?}", trace.end)
    };
    let mut levels = 0;
    let mut value = root;
    while let Some(inner) = trace.graph.items(value).last() {
        levels += 1;
        value = inner;
    }
    levels
}

#[test]
fn tuples_in_tuples() {
    let stream = stream(&[(b")", 1), (b"\x85", DEPTH), (b".", 1)]);
    let trace = run(&stream, &Limits::default());
    assert_eq!(depth(&trace), DEPTH);
}

#[test]
fn what_looks_at_values_does_not_recurse() {
    let levels = DEPTH / 50;
    let stream = stream(&[(b"cm\nn\n)", 1), (b"\x85", levels), (b"R.", 1)]);
    let trace = run(&stream, &Limits::default());
    let fingerprints = Fingerprints::default();
    assert_eq!(fingerprints.of(&trace), fingerprints.of(&trace));
    let Some(EffectKind::Call { arguments, .. }) = trace.effects.last().map(|last| last.kind)
    else {
        panic!("{:?}", trace.effects.last())
    };
    assert_eq!(Equality::new(&trace.graph).class(arguments), levels);
}

#[test]
fn lists_in_lists() {
    let stream = stream(&[(b"]", DEPTH), (b"a", DEPTH - 1), (b".", 1)]);
    assert_eq!(depth(&run(&stream, &Limits::default())), DEPTH - 1);
}

#[test]
fn marks_in_marks() {
    let stream = stream(&[(b"(", DEPTH), (b"t", DEPTH), (b".", 1)]);
    let trace = run(&stream, &Limits::default());
    let End::Stop { root, .. } = trace.end else {
        panic!("{:?}", trace.end)
    };
    assert_eq!(root.kind(), ValueKind::Tuple);
    assert!(pickletools::dis(&stream, 0, pickleproof_core::Version::CLASSIC).is_ok());
}

#[test]
fn a_limit_that_is_hit_is_said_with_its_offset() {
    let stream = stream(&[(b"(", DEPTH), (b".", 1)]);
    let limits = Limits {
        marks: 1_000_000,
        ..Limits::default()
    };
    let End::Limit { which, offset } = run(&stream, &limits).end else {
        panic!("no limit was hit")
    };
    assert_eq!((which, offset), (LimitKind::Marks, 1_000_000));
}

//! Decode and run in every dialect, under limits.

use pickleproof_core::{
    Decoder, Dialect, Effect, EffectKind, End, Environment, Instruction, Limits, Machine, Operand,
    OperandKind, Options, Trace, Value, Version,
};

use crate::generate::{self, Generator};

/// Releases before and after each change of behaviour.
const VERSIONS: [Version; 3] = [
    Version::CLASSIC,
    Version {
        minor: 14,
        patch: 10,
    },
    Version {
        minor: 15,
        patch: 2,
    },
];

/// Small enough that hitting them is part of the game, large enough for any seed.
fn limits() -> Limits {
    Limits {
        instructions: 1 << 16,
        stack: 1 << 14,
        marks: 1 << 14,
        memo: 1 << 14,
        nodes: 1 << 14,
        items: 1 << 16,
        effects: 1 << 12,
    }
}

/// Decodes and runs `bytes` in every dialect.
///
/// # Panics
///
/// Where a decoder or the machine breaks a promise: offsets lie inside the input, what was decoded
/// encodes to the same bytes, limits hold, the same bytes run the same twice, and every value of a
/// trace can be asked for what it is.
pub fn loads(bytes: &[u8]) {
    for dialect in Dialect::ALL {
        for version in VERSIONS {
            decode(bytes, dialect, version);
        }
    }
    for dialect in Dialect::ALL {
        for environment in [Environment::Generous, Environment::Exact] {
            let options = Options {
                dialect,
                environment,
                limits: limits(),
                ..Options::default()
            };
            let trace = Machine::new(bytes, 0, options.clone()).run();
            check(bytes, &trace, &options);
            let again = Machine::new(bytes, 0, options).run();
            assert_eq!(
                trace.effects, again.effects,
                "two runs have different effects"
            );
            assert_eq!(trace.end, again.end, "two runs end differently");
        }
    }
    let latest = Options {
        version: Version {
            minor: 15,
            patch: 2,
        },
        limits: limits(),
        ..Options::default()
    };
    let trace = Machine::new(bytes, 0, latest.clone()).run();
    check(bytes, &trace, &latest);
}

/// [`loads`] on the stream that a generator makes of `bytes`: deeper than the bytes themselves get.
pub fn loads_structured(bytes: &[u8]) {
    let options = generate::Options {
        faults: generate::Faults::Some,
        buffers: 2,
        extensions: vec![1, 300],
        loads: 2,
        ..generate::Options::default()
    };
    loads(&Generator::from_bytes(bytes, options).stream());
}

fn decode(bytes: &[u8], dialect: Dialect, version: Version) {
    let mut decoder = Decoder::new(bytes, 0, dialect, version);
    let mut position = 0;
    loop {
        match decoder.read() {
            Ok(instruction) => {
                assert_eq!(instruction.offset, position, "instructions leave a gap");
                assert!(
                    instruction.end > position && instruction.end <= bytes.len(),
                    "an instruction leaves the input"
                );
                let encoded = encode(&instruction);
                let written = bytes
                    .get(position..instruction.end)
                    .expect("lies inside the input");
                // `pickle.py` takes counted data that is cut off for what is there.
                let cut = dialect == Dialect::Python && instruction.end == bytes.len();
                assert!(
                    encoded == written || cut,
                    "{instruction:?} does not encode to itself"
                );
                position = instruction.end;
                if position == bytes.len() {
                    break;
                }
            }
            Err(error) => {
                assert_eq!(
                    error.offset, position,
                    "an error is not where its instruction is"
                );
                assert_eq!(decoder.position(), position, "an error moves the decoder");
                break;
            }
        }
    }
}

/// The bytes of an instruction.
fn encode(instruction: &Instruction<'_>) -> Vec<u8> {
    let mut bytes = vec![instruction.opcode.byte()];
    let kind = instruction.opcode.operand_kind();
    match instruction.operand {
        Operand::None => {}
        Operand::Uint(value) => {
            let width = match kind {
                OperandKind::Uint1 => 1,
                OperandKind::Uint2 => 2,
                OperandKind::Uint4 => 4,
                _ => 8,
            };
            bytes.extend(value.to_le_bytes().into_iter().take(width));
        }
        Operand::Int(value) => bytes.extend(value.to_le_bytes()),
        Operand::Float(bits) => bytes.extend(bits.to_be_bytes()),
        Operand::Line(line) => bytes.extend(line),
        Operand::Lines(first, second) => {
            bytes.extend(first);
            bytes.extend(second);
        }
        Operand::Bytes(data) => {
            let width = kind.length_width().expect("counted data has a length");
            bytes.extend((data.len() as u64).to_le_bytes().into_iter().take(width));
            bytes.extend(data);
        }
    }
    bytes
}

fn check(bytes: &[u8], trace: &Trace<'_>, options: &Options) {
    let limits = &options.limits;
    assert!(
        trace.consumed <= bytes.len(),
        "more was consumed than there is"
    );
    assert!(
        trace.instructions <= limits.instructions,
        "the limit on instructions does not hold"
    );
    assert!(
        trace.instructions <= bytes.len() as u64,
        "more instructions than bytes"
    );
    assert!(
        trace.effects.len() as u64 <= limits.effects,
        "the limit on effects does not hold"
    );
    assert!(
        trace.protocol <= 5 || options.dialect == Dialect::PickleTools,
        "an unknown protocol was accepted"
    );
    let mut last = 0;
    for effect in &trace.effects {
        assert!(
            effect.offset < bytes.len() && effect.offset >= last,
            "effects are out of order"
        );
        assert_eq!(
            bytes.get(effect.offset),
            Some(&effect.opcode.byte()),
            "an effect is not where its opcode is"
        );
        last = effect.offset;
        for value in values(effect) {
            look_at(trace, value);
        }
    }
    for (index, global) in trace.graph.globals().iter().enumerate() {
        let effect = trace
            .effects
            .get(global.effect as usize)
            .expect("a global is born in an effect");
        let EffectKind::Import { global: id, .. } = effect.kind else {
            panic!("a global is born in an import")
        };
        assert_eq!(
            (id.index(), effect.offset),
            (index, global.offset),
            "a global is born in another's import"
        );
    }
    match trace.end {
        End::Stop { offset, root } => {
            assert_eq!(
                bytes.get(offset),
                Some(&b'.'),
                "the run stopped without STOP"
            );
            look_at(trace, root);
        }
        End::Broken(error) => assert!(
            error.offset <= bytes.len(),
            "an error lies behind the input"
        ),
        End::Limit { offset, .. } => {
            assert!(offset <= bytes.len(), "a limit lies behind the input");
        }
    }
}

fn values(effect: &Effect) -> Vec<Value> {
    match effect.kind {
        EffectKind::Import { operands, .. } => operands
            .into_iter()
            .flat_map(|(module, name)| [module, name])
            .collect(),
        EffectKind::Call {
            callable,
            arguments,
            keywords,
            object,
            ..
        } => [Some(callable), Some(arguments), keywords, Some(object)]
            .into_iter()
            .flatten()
            .collect(),
        EffectKind::Build { object, state } => vec![object, state],
        EffectKind::SetItem { object, key, value } => vec![object, key, value],
        EffectKind::Append { object, item } | EffectKind::Add { object, item } => {
            vec![object, item]
        }
        EffectKind::PersistentLoad { id, object } => id.into_iter().chain([object]).collect(),
        EffectKind::Extend { object, .. }
        | EffectKind::Extension { object, .. }
        | EffectKind::ComputedImport { object, .. }
        | EffectKind::Buffer { object } => vec![object],
    }
}

/// Asks a value for everything that it could be.
fn look_at(trace: &Trace<'_>, value: Value) {
    let graph = &trace.graph;
    if let Some(offset) = graph.offset(value) {
        assert!(
            offset < graph.bytes().len(),
            "a value lies behind the input"
        );
    }
    let _ = (
        graph.text(value),
        graph.byte_string(value),
        graph.float_bits(value),
        graph.integer(value),
    );
    let items = graph.items(value).take(64).count();
    assert!(
        items <= graph.item_count(value),
        "more items than are counted"
    );
    for (_, _, length) in graph.assignments(value).take(64) {
        assert!(length > 0, "an item was set in an empty list");
    }
    if let Some(birth) = graph.birth(value) {
        assert!(
            birth < trace.effects.len(),
            "an object is born in no effect"
        );
    }
}

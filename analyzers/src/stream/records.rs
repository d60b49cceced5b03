//! Imports and effects as they are listed.

use std::fmt::Write as _;

use pickleproof_core::Trace;

use crate::assess::Reason;
use crate::judgement::{EffectRecord, ImportRecord, Risk};
use crate::names::Names;
use crate::render::Renderer;

pub(super) fn imports(trace: &Trace<'_>, names: &Names, listed: usize) -> Vec<ImportRecord> {
    trace
        .graph
        .globals()
        .iter()
        .zip(names.all())
        .take(listed)
        .map(|(global, named)| ImportRecord {
            module: shown(&global.module),
            name: shown(&global.name),
            offset: global.offset as u64,
            trust: named.trust(),
            capabilities: named.capabilities(),
        })
        .collect()
}

/// Text of a name; bytes that are none show as escapes, and no name fills a report.
fn shown(name: &[u8]) -> String {
    const MAX: usize = 1024;
    let mut text = String::new();
    for chunk in name.get(..MAX).unwrap_or(name).utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    if name.len() > MAX {
        let _ = write!(text, "… ({} bytes)", name.len());
    }
    text
}

/// The first effects, and those further on that are not accounted for.
pub(super) fn effects(
    trace: &Trace<'_>,
    reasons: &[Reason],
    renderer: Renderer<'_, '_>,
    listed: usize,
) -> Vec<EffectRecord> {
    let mut later = 0_usize;
    let mut records = Vec::new();
    for (index, (effect, reason)) in trace.effects.iter().zip(reasons).enumerate() {
        let risk = reason.risk();
        if index >= listed {
            if risk <= Risk::Trusted {
                continue;
            }
            later = later.saturating_add(1);
            if later > listed {
                break;
            }
        }
        records.push(EffectRecord {
            kind: effect.kind.name(),
            offset: effect.offset as u64,
            opcode: effect.opcode.name(),
            text: renderer.effect(effect),
            risk,
        });
    }
    records
}

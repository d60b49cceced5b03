//! An artifact, judged: every member that a walk finds, and every stream in it.

use std::borrow::Cow;
use std::collections::HashMap;

use pickleproof_containers::{
    Difference, Format, GapKind, Loader, Member, Stream, Strength, Visitor, streams, walk,
};

use crate::Options;
use crate::findings::Findings;
use crate::judgement::{ArtifactJudgement, Gap, Integrity, Risk, StreamJudgement};
use crate::names::Names;
use crate::payload::{Loads, payloads};
use crate::rules;
use crate::stream;
use crate::subject::Subject;

/// Judges the bytes of an artifact that the user knows as `path`.
///
/// Nothing is executed and nothing is read but `bytes`. Work and memory are bounded by the limits
/// in `options`; what they kept from being looked at is a [`Gap`].
#[must_use]
pub fn judge(path: &str, bytes: &[u8], options: &Options) -> ArtifactJudgement {
    let mut judge = Judge {
        options,
        streams: Vec::new(),
        unlisted_streams: 0,
        findings: Findings::new(options.listed),
        gaps: Vec::new(),
        risk: Risk::Inert,
        integrity: Integrity::Complete,
        pickled: None,
        nested: 0,
        payloads: 0,
        legacy: false,
    };
    let walked = walk(path, bytes, &options.containers, &mut judge);
    judge.finish(walked)
}

struct Judge<'o> {
    options: &'o Options,
    streams: Vec<StreamJudgement>,
    unlisted_streams: u64,
    findings: Findings,
    gaps: Vec<Gap>,
    risk: Risk,
    integrity: Integrity,
    /// The artifact's own bytes turned out to be pickle streams.
    pickled: Option<&'static str>,
    /// How many payloads the one that is being looked at is in.
    nested: u32,
    /// Number of payloads that were looked at.
    payloads: u32,
    /// The payload that was looked at last is a legacy file of torch.
    legacy: bool,
}

/// Payloads in payloads are looked at down to this depth.
const MAX_NESTED: u32 = 8;

/// So many payloads of an artifact are looked at, and so much of each is expanded.
const MAX_PAYLOADS: u32 = 100_000;
const MAX_EXPANDED: u64 = 4 << 20;
const MIN_EXPANDED: u64 = 1 << 16;
const MAX_MEMBERS: u64 = 1000;

impl Judge<'_> {
    fn finish(self, walked: Format) -> ArtifactJudgement {
        let format = match self.pickled {
            Some(pickled) if walked.kind() != pickleproof_containers::FormatKind::Container => {
                pickled
            }
            _ => walked.name(),
        };
        let mut gaps = self.gaps;
        if self.unlisted_streams > 0 {
            gaps.push(Gap {
                location: String::new(),
                offset: 0,
                reason: format!(
                    "{} more streams were judged and are not listed",
                    self.unlisted_streams
                ),
            });
        }
        if self.findings.unlisted() > 0 {
            gaps.push(Gap {
                location: String::new(),
                offset: 0,
                reason: format!("{} more findings are not listed", self.findings.unlisted()),
            });
        }
        ArtifactJudgement {
            format,
            risk: self.risk,
            integrity: self.integrity,
            streams: self.streams,
            findings: self.findings.finish(),
            gaps,
        }
    }

    fn raise(&mut self, risk: Risk, integrity: Integrity) {
        self.risk = self.risk.max(risk);
        self.integrity = self.integrity.max(integrity);
    }

    fn add_gap(&mut self, location: &str, offset: u64, reason: String, integrity: Integrity) {
        self.raise(Risk::Review, integrity);
        if self.gaps.len() < self.options.listed {
            self.gaps.push(Gap {
                location: location.to_owned(),
                offset,
                reason,
            });
        }
    }

    fn stream(&mut self, member: &Member<'_>, found: &Stream<'_>) {
        let names = stream::names(found);
        if found.strength == Strength::Weak && !stream::imports_something_known(&names) {
            if self.nested > 0 {
                // Bytes that are loaded as a stream are one, whatever they look like.
                self.raise(Risk::Review, Integrity::Corrupt);
            }
            return;
        }
        let partial = member.partial.is_some();
        let listed = self.options.listed;
        let loaded = self.load_payloads(member, found, &names);
        let judged = stream::judge(
            found,
            &names,
            &loaded,
            member.location,
            partial,
            listed,
            &mut self.findings,
        );
        let Some(judged) = judged else { return };
        self.raise(judged.stream.risk, judged.stream.integrity);
        for (offset, reason) in judged.gaps {
            self.add_gap(member.location, offset, reason, Integrity::Limited);
        }
        if member.depth == 0 && self.nested == 0 && !found.carved {
            let format = match found.loader {
                Loader::JoblibLoad => Format::Joblib,
                _ => Format::Pickle,
            };
            self.pickled.get_or_insert(format.name());
        }
        if self.nested > 0 && judged.stream.risk <= Risk::Trusted {
            // It is told where it is loaded.
            return;
        }
        if self.streams.len() < self.options.listed {
            self.streams.push(judged.stream);
        } else {
            self.unlisted_streams = self.unlisted_streams.saturating_add(1);
        }
    }

    /// Judges what the stream gives to something that loads it: the risk by the place of the call.
    fn load_payloads(
        &mut self,
        member: &Member<'_>,
        found: &Stream<'_>,
        names: &[Names],
    ) -> stream::Loaded {
        let mut loaded = stream::Loaded::new();
        // A literal that is loaded a thousand times is looked at once.
        let mut known: HashMap<(usize, usize), Option<Risk>> = HashMap::new();
        for (run, (trace, names)) in stream::traces(found).zip(names).enumerate() {
            for payload in payloads(trace, names) {
                let call = trace.effects.get(payload.effect);
                let offset = call.map_or(0, |call| call.offset);
                let literal = match &payload.bytes {
                    Cow::Borrowed(bytes) => Some((bytes.as_ptr().addr(), bytes.len())),
                    Cow::Owned(_) => None,
                };
                let risk = match literal.and_then(|literal| known.get(&literal)) {
                    Some(risk) => *risk,
                    None if self.nested >= MAX_NESTED || self.payloads >= MAX_PAYLOADS => {
                        let reason =
                            "payloads are nested deeper, or there are more, than is looked at";
                        let (place, reason) = (offset as u64, reason.to_owned());
                        self.add_gap(member.location, place, reason, Integrity::Limited);
                        return loaded;
                    }
                    None => {
                        let location = format!("{}!/payload@{offset}", member.location);
                        self.payload(&location, &payload.bytes, payload.loads)
                    }
                };
                if let Some(literal) = literal {
                    known.insert(literal, risk);
                }
                loaded.insert((run, payload.effect), (payload.loads, payload.named, risk));
            }
        }
        loaded
    }

    /// The risk of a payload; of a storage only where it is the whole of a file that torch writes.
    fn payload(&mut self, location: &str, bytes: &[u8], loads: Loads) -> Option<Risk> {
        // What is expanded of all payloads is no more than what is of one artifact.
        let expanded = if self.payloads < 64 {
            MAX_EXPANDED
        } else {
            MIN_EXPANDED
        };
        let given = self.options.containers;
        let limits = pickleproof_containers::Limits {
            members: given.members.min(MAX_MEMBERS),
            member_bytes: given.member_bytes.min(expanded),
            ratio_floor: given.ratio_floor.min(expanded),
            aborted_bytes: given.aborted_bytes.min(expanded),
            ..given
        };
        let risk = core::mem::take(&mut self.risk);
        let integrity = core::mem::replace(&mut self.integrity, Integrity::Complete);
        self.payloads = self.payloads.saturating_add(1);
        self.nested = self.nested.saturating_add(1);
        let outer = core::mem::take(&mut self.legacy);
        let format = walk(location, bytes, &limits, self);
        self.nested = self.nested.saturating_sub(1);
        let legacy = core::mem::replace(&mut self.legacy, outer);
        let whole = match loads {
            Loads::Storage => legacy || format == Format::TorchZip,
            Loads::Pickle => true,
        };
        let whole = whole && self.integrity == Integrity::Complete;
        let found = core::mem::replace(&mut self.risk, risk);
        self.integrity = self.integrity.max(integrity);
        if whole || found > Risk::Trusted {
            Some(found)
        } else {
            None
        }
    }

    fn rule_on(&mut self, subject: &Subject<'_>) {
        self.findings.take_risk();
        rules::check(subject, &mut self.findings);
        let risk = self.findings.take_risk();
        self.raise(risk, Integrity::Complete);
    }
}

impl Visitor for Judge<'_> {
    fn member(&mut self, member: &Member<'_>) {
        let before = self.streams.len();
        let found = streams(member, &self.options.machine, &mut |found| {
            self.stream(member, &found);
        });
        self.legacy |= found.torch_legacy && member.depth == 0;
        if found.torch_legacy && member.depth == 0 && self.nested == 0 {
            self.pickled = Some("torch-legacy");
        }
        if let Some(offset) = found.unread {
            let reason = "there are more streams than are looked for".to_owned();
            self.add_gap(member.location, offset as u64, reason, Integrity::Limited);
        }
        // Of a container only what its own reader does not account for would be left over.
        let contained = member.format.kind() == pickleproof_containers::FormatKind::Container;
        if let Some(offset) = found.trailing
            && self.streams.len() > before
            && !contained
            && self
                .streams
                .last()
                .is_some_and(|stream| stream.integrity == Integrity::Complete)
        {
            let length = member.bytes.len().saturating_sub(offset);
            self.raise(Risk::Inert, Integrity::Trailing);
            self.rule_on(&Subject::Trailing {
                location: member.location,
                offset,
                length,
            });
        }
        if matches!(member.format, Format::Hdf5 | Format::PythonBytecode) {
            let reason = format!(
                "{} is recognised and not analysed; loading it can run code",
                member.format
            );
            self.add_gap(member.location, 0, reason, Integrity::Limited);
        }
    }

    fn gap(&mut self, location: &str, offset: u64, reason: &str, kind: GapKind) {
        let integrity = match kind {
            GapKind::Corrupt => Integrity::Corrupt,
            GapKind::Limited | GapKind::Unsupported | GapKind::Encrypted => Integrity::Limited,
        };
        self.add_gap(location, offset, reason.to_owned(), integrity);
    }

    fn difference(&mut self, location: &str, offset: u64, difference: &Difference) {
        self.rule_on(&Subject::Difference {
            location,
            offset,
            difference,
        });
    }
}

#!/usr/bin/env python3
"""Measures the verdicts of a built binary against manifests of labelled files.

    scripts/kb/measure.py [--binary FILE] [--list RISK] [--reasons] MANIFEST.jsonl ...

A manifest has one JSON object a line: `file` (relative to the manifest), and what is expected of it as
`severity` (malicious, suspicious, corrupt-but-code-executes-before-failure, benign) or as `label`
(benign, benign-with-code). Files are only read by `pickleproof scan --format json`; nothing is unpickled.

Printed are the counts of each label by risk, without and with the files of joblib's array containers apart.
`--list RISK` names each benign file above that risk, and each malicious one below it; `--reasons` counts
the messages that decide.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import tempfile

RISKS = ["inert", "trusted", "review", "suspicious", "malicious"]
ROOT = pathlib.Path(__file__).resolve().parents[2]


def scan(binary: pathlib.Path, files: list[pathlib.Path]) -> dict[str, dict]:
    """The report's artifact of each file."""
    artifacts = {}
    for start in range(0, len(files), 400):
        with tempfile.TemporaryFile() as output:
            command = [binary, "scan", "--format", "json", "--fail-on", "never", "--no-progress", "--no-hash"]
            subprocess.run(command + files[start : start + 400], stdout=output, check=False)
            output.seek(0)
            report = json.load(output)
        for artifact in report["artifacts"]:
            artifacts[os.path.abspath(artifact["path"])] = artifact
    return artifacts


def reasons(artifact: dict) -> list[str]:
    """What decided: the gaps, and the messages of the worst findings."""
    worst = [f for f in artifact["findings"] if f["severity"] == artifact["findings"][0]["severity"]]
    messages = [f"{finding['rule']}: {finding['message']}" for finding in worst]
    messages += [f"gap: {gap['reason']}" for gap in artifact["gaps"]]
    return messages or ["no finding"]


def table(title: str, rows: list[tuple[dict, dict]], label: str) -> None:
    counts = collections.defaultdict(collections.Counter)
    for row, artifact in rows:
        counts[row[label]][artifact["risk"] if artifact else "not scanned"] += 1
    print(f"\n{title}")
    columns = RISKS + ["not scanned"]
    print(f"{'':<44}" + "".join(f"{risk:>12}" for risk in columns) + f"{'all':>8}")
    for name, by_risk in sorted(counts.items()):
        cells = "".join(f"{by_risk[risk]:>12}" for risk in columns)
        print(f"{name:<44}{cells}{sum(by_risk.values()):>8}")


def listing(rows: list[tuple[dict, dict]], label: str, risk: str) -> None:
    """Names what is judged worse than `risk` but benign, and milder than it but hostile."""
    limit = RISKS.index(risk)
    for row, artifact in rows:
        at = RISKS.index(artifact["risk"]) if artifact else -1
        benign = row[label].startswith("benign")
        if at > limit if benign else at < limit:
            about = " ".join(str(row.get(key, "")) for key in ("library", "kind", "gadget") if row.get(key))
            print(f"{row[label]} {RISKS[at]} {row['file']} [{about}]: {'; '.join(reasons(artifact)[:3])}"[:400])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target" / "release" / "pickleproof")
    parser.add_argument("--list", choices=RISKS)
    parser.add_argument("--reasons", action="store_true")
    parser.add_argument("manifests", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    for manifest in args.manifests:
        lines = [json.loads(line) for line in manifest.read_text().splitlines() if line.strip()]
        label = "severity" if "severity" in lines[0] else "label"
        paths = [manifest.resolve().parent / line["file"] for line in lines]
        artifacts = scan(args.binary, paths)
        rows = [(line, artifacts.get(os.path.abspath(path))) for line, path in zip(lines, paths)]
        plain = [row for row in rows if not str(row[0].get("container", "")).startswith("joblib")]
        table(f"{manifest}: all", rows, label)
        if len(plain) < len(rows):
            table(f"{manifest}: without joblib's containers", plain, label)
        if args.list:
            listing(rows, label, args.list)
        if args.reasons:
            counts = collections.Counter()
            for row, artifact in rows:
                if row[label].startswith("benign") and artifact and RISKS.index(artifact["risk"]) > 1:
                    counts.update({reason[:160] for reason in reasons(artifact)})
            for reason, count in counts.most_common(200):
                print(f"{count:>6} {reason}")


if __name__ == "__main__":
    main()

"""Bad input, by the thousand: what comes of ten thousand spoiled studies, settings, findings and folders of results.

    pip install -e '.[test]'
    python experiments/benchmarks/bad_input.py

Valid input is spoiled by the strategies of `tests/mutations.py`: values, names and structure, or the bytes of a file.
Each kind has a process of its own and a fresh seed, which is printed.

Columns: `mutated`, what was spoiled; `cases`; how many of them were `refused` with a line for each mistake, `accepted`
because they were still valid (or valid and too large to be run here), or `run`; and what must be 0: `tracebacks`,
`hangs` of more than half a minute, `outside`, files that were written anywhere but in the folder for the results, and
`wrong`, answers with another exit code, too long a line or a character that a terminal obeys; `slowest` case in
seconds, and `peak_mib`, the most memory that the process ever had, in MiB.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

import pandas as pd
from measuring import PROOF, save, versions

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))

import campaign


def row(kind: str, cases: int, seed: int) -> dict[str, object]:
    """What came of some cases of a kind; tells on standard error what went wrong."""
    found = campaign.process(kind, cases, seed)
    print(f"{kind}: seed {seed}, {found['cases']} cases", file=sys.stderr, flush=True)
    for told in found["told"]:
        print(*told, sep="\n", file=sys.stderr)
    counted = ("cases", "refused", "accepted", "run", "tracebacks", "hangs", "outside", "wrong")
    return {
        "mutated": campaign.KINDS[kind].what,
        **{name: found[name] for name in counted},
        "slowest": found["slowest"],
        "peak_mib": round(found["memory"] / 2**20),
    }


def main() -> None:
    """Every kind, or with --quick a few cases of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the cases, to see that it works")
    quick = parser.parse_args().quick
    rows = [
        row(kind, max(1, asked.cases // 100) if quick else asked.cases, secrets.randbelow(2**32))
        for kind, asked in campaign.KINDS.items()
    ]
    table = pd.DataFrame(rows)
    table.loc[len(table)] = {"mutated": "all", **table.drop(columns=["mutated", "slowest", "peak_mib"]).sum(),
                             "slowest": table["slowest"].max(), "peak_mib": table["peak_mib"].max()}  # fmt: skip
    save(table, "bad_input", versions("hypothesis", "leadership-sim"), Path(tempfile.mkdtemp()) if quick else PROOF)


if __name__ == "__main__":
    main()

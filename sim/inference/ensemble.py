"""An ensemble of plausible worlds, weighted by evidence: what is in it, and the file that keeps it.

The file is a Parquet table with a row for each world. Its values are kept as codes of two bytes, from which
`worlds_from` makes the same numbers to the last bit, so that thousands of worlds fit into a mebibyte. All else, the
evidence and the provenance, is JSON in the metadata.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import tokenize
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, TypeGuard

import numpy as np
from numpy.typing import NDArray

import sim
from sim.compiled import SOURCES
from sim.errors import InputError, nearest, place, shown
from sim.inference import weights as weighting
from sim.inference.survey import Evidence, Measured, Pattern, log_agreement
from sim.inference.tempering import GRID, uniforms_of
from sim.inference.world import DRAWN, OFF, Worlds, worlds_from
from sim.parameters import DECLARATIONS, MECHANISMS, REGIMES

FORMAT = 1
FEWEST = 20
"""The smallest effective size that says anything: with fewer worlds than this, a share of one half has a standard
error above 0.11, so that not even one third could be told from two thirds."""
Prior = Literal["main", "all_on"]
SHIPPED: dict[Prior, Path] = {
    "main": Path(__file__).with_name("ensemble.parquet"),
    "all_on": Path(__file__).with_name("ensemble_all_on.parquet"),
}
"""The ensembles that come with the package: under the prior in which each mechanism may be off, and all are on."""
_MODEL = (*SOURCES, "inference/patterns.py", "inference/survey.py", "inference/world.py")


@dataclass(frozen=True)
class Ensemble:
    """Plausible worlds, weighted by evidence.

    Attributes
    ----------
    worlds : Worlds
    weights : float array, one for each world; they sum to 1.
    ancestors : int array, the number of the draw from the prior that each world descends from.
    seeds : int array, of the simulation behind each world's `measured`.
    measured : mapping
        Pattern id to the model's value in each world, shape (worlds,), or (worlds, months) for a path.
    evidence : Evidence, that it was weighted by.
    variance : mapping, pattern id to the simulation's own variance, which was added to the tolerance.
    off : float, the prior chance that a mechanism is off.
    prior : mapping
        Pattern id to ``low``, ``median``, ``high`` (5, 50 and 95 % of draws from the prior) and ``within`` (the share
        of them within two tolerances); lists of these for a path.
    provenance : dict, how it was made.
    """

    worlds: Worlds
    weights: NDArray[np.float64]
    ancestors: NDArray[np.int64]
    seeds: NDArray[np.int64]
    measured: Mapping[str, NDArray[np.float64]]
    evidence: Evidence
    variance: Mapping[str, Measured]
    off: float = OFF
    prior: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def effective_size(self) -> float:
        """How many worlds of equal weight would be as many."""
        return weighting.effective_size(self.weights)

    @property
    def distinct_ancestors(self) -> int:
        """How many draws from the prior have descendants here."""
        return len(np.unique(self.ancestors))

    @property
    def largest_weight(self) -> float:
        """The share of the heaviest world."""
        return float(self.weights.max())

    @cached_property
    def agreements(self) -> dict[str, NDArray[np.float64]]:
        """The logarithm of how well each world agrees with each pattern, at most 0."""
        return {p.id: self._agreement(p) for p in self.evidence.patterns}

    def _agreement(self, pattern: Pattern) -> NDArray[np.float64]:
        variance = self.variance[pattern.id]
        return np.array([log_agreement(pattern, value, variance) for value in self.measured[pattern.id]])

    def without(self, patterns: Collection[str]) -> NDArray[np.float64]:
        """The weights that the worlds would have without some patterns, which are named by id.

        Their agreement is divided out, so the worlds stay the same and only the `effective_size` of the result says how
        well it is known. Raises `InputError` for a pattern that is not part of the evidence.
        """
        names = [patterns] if isinstance(patterns, str) else list(patterns)
        unknown = [name for name in names if name not in self.agreements]
        if unknown:
            there = ", ".join(self.agreements)
            raise InputError(
                [f"{shown(n)}: no such pattern{nearest(n, self.agreements) or f'; there are {there}'}" for n in unknown]
            )
        with np.errstate(divide="ignore"):
            logs = np.log(self.weights) - sum((self.agreements[name] for name in set(names)), np.zeros(len(self)))
        return weighting.normalised(logs)

    def sample(self, number: int, seed: int = 0) -> Ensemble:
        """`number` worlds by systematic resampling, so of nearly equal weight; what is taken twice counts twice."""
        if number < 1:
            raise InputError([f"number of worlds: {shown(number)} is not a whole number from 1"])
        taken = weighting.systematic(self.weights, number, np.random.default_rng(seed))
        which, times = np.unique(taken, return_counts=True)
        return replace(
            self,
            worlds=self.worlds.take(which),
            weights=times / number,
            ancestors=self.ancestors[which],
            seeds=self.seeds[which],
            measured={name: values[which] for name, values in self.measured.items()},
        )

    def save(self, path: str | Path) -> None:
        """Write the file, which is there as a whole or not at all.

        Raises `InputError` where it cannot be written, and `ValueError` for worlds that are not on the grid of codes.
        """
        content = _encoded(self)
        path = Path(path)
        try:
            temporary = path.with_name(f"{path.name}.part")
            temporary.write_bytes(content)
            temporary.replace(path)
        except OSError as error:
            raise InputError([f"{place(path)}: cannot be written: {error.strerror or error}"]) from None


def load(path: str | Path | None = None, prior: Prior = "main") -> Ensemble:
    """The ensemble of a file, by default the one that comes with the package for a prior: "main", or "all_on".

    Raises `InputError` with one line where there is no such file, where it is damaged, or made by another version of
    the model, or where its effective size is below `FEWEST`.
    """
    if path is None and prior not in SHIPPED:
        raise InputError([f"prior = {shown(prior)}: no such prior{nearest(prior, SHIPPED)}; there are main and all_on"])
    file = SHIPPED[prior] if path is None else Path(path)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError([f"{place(file)}: cannot be read: {error.strerror or error}"]) from None
    try:
        table, made = _opened(content)
    except Exception:  # whatever a damaged file makes its reader raise
        raise InputError([f"{place(file)}: is damaged or no ensemble of worlds; make it again"]) from None
    if made.get("format") != FORMAT or made.get("model") != model_fingerprint():
        raise InputError(
            [f"{place(file)}: was made by another version of the model; make it again with sim worlds --calibrate"]
        )
    try:
        found = _decoded(table, made)
    except Exception:
        raise InputError([f"{place(file)}: is damaged or no ensemble of worlds; make it again"]) from None
    check_size(found.weights, str(place(file)))
    return found


def check_size(weights: NDArray[np.float64], what: str) -> None:
    """Refuse weights whose effective size is below `FEWEST`: raises `InputError` with one line about `what`."""
    if (size := weighting.effective_size(weights)) < FEWEST:
        raise InputError(
            [f"{what}: an effective size of {size:.1f} worlds is too small to say anything; it takes {FEWEST}"]
        )


@cache
def model_fingerprint() -> str:
    """A hash of what determines what a world does and what surveys find in it: code, without comments and docstrings,
    and the numbers of the tables of parameters, mechanisms and regimes, without their texts."""
    here = Path(sim.__file__).parent
    code = [_bare((here / name).read_text(encoding="utf-8")) for name in _MODEL]
    declared = {name: [d.default, d.low, d.high, d.null] for name, d in DECLARATIONS.items()}
    bundles = [{name: list(m.parameters) for name, m in MECHANISMS.items()}]
    policies = {name: dict(regime.levers) for name, regime in REGIMES.items()}
    text = "\0".join([*code, json.dumps([declared, bundles, policies], default=str)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _bare(source: str) -> str:
    """Python code without comments, docstrings and empty lines: the same text under every version of Python."""
    lines = source.encode().splitlines()  # columns of the syntax tree count bytes
    for node in ast.walk(ast.parse(source)):
        if _is_text(node):
            first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
            lines[first : last + 1] = [lines[first][: node.col_offset], *[b""] * (last - first)]
    kept = b"\n".join(lines).decode()
    words = tokenize.generate_tokens(io.StringIO(kept).readline)
    comments = {token.start[0]: token.start[1] for token in words if token.type == tokenize.COMMENT}
    bare = (line[: comments.get(number)].rstrip() for number, line in enumerate(kept.splitlines(), start=1))
    return "\n".join(line for line in bare if line)


def _is_text(node: ast.AST) -> TypeGuard[ast.Expr]:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _encoded(ensemble: Ensemble) -> bytes:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    codes = _codes(ensemble.worlds, ensemble.off)
    columns: dict[str, Any] = {name: codes[:, k] for k, name in enumerate((*DRAWN, "reliability"))}
    columns |= {f"{name} off": ensemble.worlds.off[:, k] for k, name in enumerate(MECHANISMS)}
    numbers = {
        "weight": ensemble.weights,
        "ancestor": ensemble.ancestors.astype(np.int32),
        "seed": ensemble.seeds.astype(np.int32),
        **{
            f"{name} {month}": values.reshape(len(ensemble), -1)[:, month].astype(np.float32)
            for name, values in ensemble.measured.items()
            for month in range(values.reshape(len(ensemble), -1).shape[1])
        },
    }
    made = {
        "format": FORMAT,
        "model": model_fingerprint(),
        "off": ensemble.off,
        "evidence": asdict(ensemble.evidence),
        "variance": {name: np.asarray(value).tolist() for name, value in ensemble.variance.items()},
        "prior": ensemble.prior,
        "provenance": ensemble.provenance,
    }
    table = pa.table(columns | numbers).replace_schema_metadata({"ensemble": json.dumps(made)})
    split = dict.fromkeys((*DRAWN, "reliability", *(n for n in numbers if n != "weight")), "BYTE_STREAM_SPLIT")
    buffer = io.BytesIO()
    pq.write_table(
        table, buffer, compression="zstd", compression_level=19, write_statistics=False, use_dictionary=["weight"],
        column_encoding=split,
    )  # fmt: skip
    return buffer.getvalue()


def _codes(worlds: Worlds, off: float) -> NDArray[np.uint16]:
    """The codes, worlds by `DRAWN` and reliability, that stand for worlds."""
    low, high = _made(np.zeros((1, len(DRAWN) + 1))), _made(np.ones((1, len(DRAWN) + 1)))
    values = np.column_stack([worlds.values, worlds.reliability])
    codes = np.clip(np.rint((values - low) / (high - low) * GRID - 0.5), 0, GRID - 1).astype(np.uint16)
    if not np.array_equal(_made(uniforms_of(codes)), values):
        raise ValueError("these worlds are not on the grid of codes, so a file cannot keep them exactly")
    return codes


def _made(uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values and reliability that uniform numbers stand for."""
    made = worlds_from(np.column_stack([uniforms, np.zeros((len(uniforms), len(MECHANISMS)))]))
    return np.column_stack([made.values, made.reliability])


def _opened(content: bytes) -> tuple[Any, dict[str, Any]]:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    table = pq.read_table(pa.BufferReader(content))
    return table, json.loads(table.schema.metadata[b"ensemble"])


def _decoded(table: Any, made: dict[str, Any]) -> Ensemble:
    def column(name: str) -> NDArray[Any]:
        return np.asarray(table.column(name).to_numpy())

    values = _made(uniforms_of(np.column_stack([column(name) for name in (*DRAWN, "reliability")])))
    off = np.column_stack([column(f"{name} off") for name in MECHANISMS])
    evidence = _evidence(made["evidence"])
    found = Ensemble(
        worlds=Worlds(values[:, :-1], off, values[:, -1]),
        weights=column("weight"),
        ancestors=column("ancestor").astype(np.int64),
        seeds=column("seed").astype(np.int64),
        measured={p.id: _measured(p, column) for p in evidence.patterns},
        evidence=evidence,
        variance={n: np.array(v) if isinstance(v, list) else v for n, v in made["variance"].items()},
        off=made["off"],
        prior=made["prior"],
        provenance=made["provenance"],
    )
    if not (found.weights >= 0.0).all() or abs(found.weights.sum() - 1.0) > 1e-6:
        raise ValueError("weights")
    return found


def _measured(pattern: Pattern, column: Any) -> NDArray[np.float64]:
    if not isinstance(pattern.value, tuple):
        return np.asarray(column(f"{pattern.id} 0"), dtype=np.float64)
    return np.column_stack([column(f"{pattern.id} {k}") for k in range(len(pattern.value))]).astype(np.float64)


def _evidence(table: Mapping[str, Any]) -> Evidence:
    """Evidence from what `asdict` made of it, once lists have become tuples again."""

    def again(pattern: Mapping[str, Any]) -> dict[str, Any]:
        return {name: tuple(value) if isinstance(value, list) else value for name, value in pattern.items()}

    return Evidence(table["survey"], tuple(Pattern(**again(pattern)) for pattern in table["patterns"]))

"""An ensemble of plausible worlds, weighted by evidence: what is in it, and the file that keeps it.

The file is a Parquet table with a row for each world. Its values are kept as codes of two bytes, from which
`worlds_from` makes the same numbers to the last bit, so that thousands of worlds fit into a mebibyte. All else, the
evidence and the provenance, is JSON in the metadata.

A file is signed with the identity of the model that its worlds were surveyed by. Under another identity some of its
worlds are surveyed again, and it counts as long as they give the same statistics. Columns are read by name: what a
file has never heard of is at its null in all of its worlds.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim import statistics as weighting
from sim.errors import InputError, nearest, place, shown
from sim.model import engine
from sim.model.parameters import DECLARATIONS, MECHANISMS
from sim.model.version import identity
from sim.pool import in_order, local_threads
from sim.worlds.prior import COLUMNS, DRAWN, GRID, OFF, Worlds, uniforms_of, worlds_from
from sim.worlds.survey import DEFAULT_SIZES, Evidence, Measured, Pattern, Sizes, log_agreement, measure

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
MADE_BY = ("sim.worlds.evidence", "sim.worlds.survey", "sim.worlds.prior")
"""Modules that draw worlds and survey them, for `sim.model.version.identity`."""
TOLERANCE = 1e-6
"""How far the statistics of a world that is surveyed again may be from those that are kept, in single precision."""
_AGAIN = 8  # worlds that are surveyed again under another identity: a second or two


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
    unheard : tuple of str
        Those of `sim.worlds.prior.COLUMNS` that the file had never heard of: parameters are at their null, levers at
        their default, mechanisms off in every world.
    notes : tuple of str
        Sentences about the file that a reader of an answer should know: that another version of the model signed it,
        and what it had never heard of.
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
    unheard: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

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
        """Write the file, signed with the present identity of the model; it is there as a whole or not at all.

        Raises `InputError` where it cannot be written, and `ValueError` for worlds that are not on the grid of codes.
        """
        _write(Path(path), _encoded(self))


def load(path: str | Path | None = None, prior: Prior = "main", *, checked: bool = True) -> Ensemble:
    """The ensemble of a file, by default the one that comes with the package for a prior: "main", or "all_on".

    Where it is signed by another version of the model, a few of its worlds are surveyed again, which takes a second or
    two, and `Ensemble.notes` says that they agree. `checked` false leaves that out.

    Raises `InputError` with one line where there is no such file, where it is damaged or belongs to another model,
    where the statistics of a world differ from those that are kept, or where its effective size is below `FEWEST`.
    """
    if path is None and prior not in SHIPPED:
        raise InputError([f"prior = {shown(prior)}: no such prior{nearest(prior, SHIPPED)}; there are main and all_on"])
    file = SHIPPED[prior] if path is None else Path(path)
    table, made = _opened(file)
    try:
        found = _decoded(table, made)
    except Exception:  # whatever a damaged file makes its reader raise
        raise InputError([f"{place(file)}: is damaged or no ensemble of worlds; make it again"]) from None
    if not checked:
        return found
    check_size(found.weights, str(place(file)))
    notes = []
    if found.unheard:
        names = ", ".join(dict.fromkeys(name.removesuffix(" off") for name in found.unheard))
        notes.append(f"{file.name}: had never heard of {names}: without effect in all of its worlds.")
    if made.get("model") != identity(*MADE_BY):
        if against := _against(file.read_bytes()):
            raise InputError(
                [f"{place(file)}: was made by another version of the model, and its worlds now give other statistics "
                 f"({against[0]}); sim worlds --check 20 tells more, sim worlds --calibrate makes worlds again"]
            )  # fmt: skip
        equal = f"{_AGAIN} worlds surveyed again give equal statistics"
        notes.append(f"{file.name}: was made by another version of the model; {equal}.")
    return replace(found, notes=tuple(notes))


@cache
def _against(content: bytes) -> list[str]:
    """What is different in a file's worlds when they are surveyed again: once in a process for each content."""
    return differing(differences(_decoded(*_read(content)), _AGAIN))


def differences(ensemble: Ensemble, number: int, workers: int | None = None) -> dict[str, float]:
    """Survey `number` worlds of an ensemble again, evenly spaced and under their seeds.

    Returns, for each pattern, the largest difference from what is kept; relative where a value is beyond 1. Raises
    `InputError` where the evidence asks for something that the model does not have.
    """
    evidence, sizes = ensemble.evidence, ensemble.provenance.get("sizes")
    numbers = np.unique(np.linspace(0, len(ensemble) - 1, number).round().astype(np.int64)).tolist()

    def again(n: int) -> dict[str, Measured]:
        return measure(evidence, ensemble.worlds[n], int(ensemble.seeds[n]), Sizes(**sizes) if sizes else DEFAULT_SIZES)

    engine.warm_up()
    try:
        with local_threads(workers) as executor:
            found = list(in_order(executor, again, numbers))
    except KeyError as error:
        raise InputError([f"the evidence asks for {error}, which is not in this model"]) from None
    kept = {p.id: np.asarray(ensemble.measured[p.id])[numbers] for p in evidence.patterns}
    now = {name: np.array([each[name] for each in found]).astype(np.float32) for name in kept}
    return {name: float((abs(now[name] - x) / np.maximum(1.0, abs(x))).max()) for name, x in kept.items()}


def differing(found: Mapping[str, float]) -> list[str]:
    """The patterns of `differences` that differ by more than `TOLERANCE`, the most first, in words."""
    worst = sorted(found.items(), key=lambda item: -item[1])
    return [f"{name} by {difference:.2g}" for name, difference in worst if not difference <= TOLERANCE]


def sign(path: Path) -> None:
    """Write the present identity of the model into the file of an ensemble, and leave all else as it is.

    For whoever has seen that its worlds give the same statistics. Raises `InputError` where that cannot be done.
    """
    table, made = _opened(path)
    _write(path, _parquet(table, {**made, "model": identity(*MADE_BY)}))


def check_size(weights: NDArray[np.float64], what: str) -> None:
    """Refuse weights whose effective size is below `FEWEST`: raises `InputError` with one line about `what`."""
    if (size := weighting.effective_size(weights)) < FEWEST:
        raise InputError(
            [f"{what}: an effective size of {size:.1f} worlds is too small to say anything; it takes {FEWEST}"]
        )


def _encoded(ensemble: Ensemble) -> bytes:
    import pyarrow as pa  # noqa: PLC0415

    codes = _codes(ensemble)
    columns: dict[str, Any] = {name: codes[:, k] for k, name in enumerate((*DRAWN, "reliability"))}
    columns |= {f"{name} off": ensemble.worlds.off[:, k] for k, name in enumerate(MECHANISMS)}
    columns = {name: values for name, values in columns.items() if name not in ensemble.unheard}
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
        "model": identity(*MADE_BY),
        "off": ensemble.off,
        "evidence": asdict(ensemble.evidence),
        "variance": {name: np.asarray(value).tolist() for name, value in ensemble.variance.items()},
        "prior": ensemble.prior,
        "provenance": ensemble.provenance,
    }
    return _parquet(pa.table(columns | numbers), made)


def _parquet(table: Any, made: Mapping[str, Any]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    numbers = [c.name for c in table.schema if c.name != "weight" and not pa.types.is_boolean(c.type)]
    buffer = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata({"ensemble": json.dumps(made)}), buffer, compression="zstd",
        compression_level=19, write_statistics=False, use_dictionary=["weight"],
        column_encoding=dict.fromkeys(numbers, "BYTE_STREAM_SPLIT"),
    )  # fmt: skip
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> None:
    try:
        temporary = path.with_name(f"{path.name}.part")
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise InputError([f"{place(path)}: cannot be written: {error.strerror or error}"]) from None


def _codes(ensemble: Ensemble) -> NDArray[np.uint16]:
    """The codes, worlds by `DRAWN` and reliability, that stand for worlds; any code for what is `unheard` of."""
    worlds = ensemble.worlds
    low, high = _made(np.zeros((1, len(DRAWN) + 1))), _made(np.ones((1, len(DRAWN) + 1)))
    values = np.column_stack([worlds.values, worlds.reliability])
    codes = np.clip(np.rint((values - low) / (high - low) * GRID - 0.5), 0, GRID - 1).astype(np.uint16)
    kept = [name not in ensemble.unheard for name in (*DRAWN, "reliability")]
    if not np.array_equal(_made(uniforms_of(codes))[:, kept], values[:, kept]):
        raise ValueError("these worlds are not on the grid of codes, so a file cannot keep them exactly")
    return codes


def _made(uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values and reliability that uniform numbers stand for."""
    made = worlds_from(np.column_stack([uniforms, np.zeros((len(uniforms), len(MECHANISMS)))]))
    return np.column_stack([made.values, made.reliability])


def _opened(file: Path) -> tuple[Any, dict[str, Any]]:
    """The table and the metadata of a file of this format."""
    import pyarrow as pa  # noqa: PLC0415

    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError([f"{place(file)}: cannot be read: {error.strerror or error}"]) from None
    try:
        table, made = _read(content)
        written = made["format"]
    except Exception:  # whatever a damaged file makes its reader raise
        raise InputError([f"{place(file)}: is damaged or no ensemble of worlds; make it again"]) from None
    if written != FORMAT:
        raise InputError([f"{place(file)}: was written by another version; sim worlds --calibrate makes worlds again"])
    known = {c.name for c in table.schema if pa.types.is_uint16(c.type) or pa.types.is_boolean(c.type)}
    strange = [*sorted(known - {*COLUMNS}), *(name for name in DRAWN if name not in known and _rest(name) is None)]
    if strange:
        raise InputError(
            [f"{place(file)}: is another model's: only one of the two has {strange[0]}, and there is no value at which "
             f"that does nothing; sim worlds --calibrate makes worlds of this model"]
        )  # fmt: skip
    return table, made


def _read(content: bytes) -> tuple[Any, dict[str, Any]]:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    table = pq.read_table(pa.BufferReader(content))
    return table, json.loads(table.schema.metadata[b"ensemble"])


def _rest(name: str) -> float | None:
    """The value at which a parameter or lever changes nothing in worlds that had never heard of it."""
    declared = DECLARATIONS[name]
    return declared.default if declared.kind == "lever" else declared.null


def _decoded(table: Any, made: dict[str, Any]) -> Ensemble:
    def column(name: str) -> NDArray[Any]:
        return np.asarray(table.column(name).to_numpy())

    unheard = [name for name in COLUMNS if name not in table.column_names]
    blank = np.zeros(len(table), dtype=np.uint16)
    values = _made(uniforms_of(np.column_stack([
        blank if name in unheard else column(name) for name in (*DRAWN, "reliability")
    ])))  # fmt: skip
    for name in unheard:
        if name in DRAWN:
            values[:, DRAWN.index(name)] = _rest(name)
    off = np.column_stack([
        np.ones(len(table), dtype=bool) if f"{key} off" in unheard else column(f"{key} off") for key in MECHANISMS
    ])  # fmt: skip
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
        unheard=tuple(unheard),
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

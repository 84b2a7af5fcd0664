"""Design points: quickly made, and what `resolve` makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import InputError
from sim.model.parameters import MECHANISMS, PARAMETERS, REGIMES, resolve
from sim.report.study import save_figure
from sim.study import Results
from sim.study.points import Cells

COMMON: dict[str, Any] = {"regime": "baseline", "mechanisms_off": [], "schedule": {}, "systems": 1, "window": 24}
NAMES = ("monitoring", "relationship", "trust_invest", "exit_base", "market_months", "months", "gaming_max", "register")


def made(make: Any, own: dict[str, Any]) -> Any:
    try:
        return make(own)
    except InputError as error:
        return error.lines


good = st.floats(0.0, 1.0) | st.integers(0, 1)
bad = st.one_of(st.floats(), st.integers(-1, 200), st.booleans(), st.just("x"), st.none())
wrong = st.fixed_dictionaries(
    {},
    optional={
        **{name: bad for name in NAMES},
        "regime": st.just("no"),
        "mechanisms_off": st.just(["no"]) | st.none(),
        "monitorng": st.just(0.5),
    },
)
right = st.fixed_dictionaries(
    {},
    optional={
        **{name: good for name in ("monitoring", "relationship", "exit_base", "gaming_max", "register")},
        "months": st.integers(1, 200),
        "regime": st.sampled_from([*REGIMES]),
        "mechanisms_off": st.lists(st.sampled_from([*MECHANISMS]), max_size=3),
        "schedule": st.just({"monitoring": {"1": 0.9}}),
    },
)


@given(right | wrong)
def test_a_copied_cell_is_what_resolve_makes_of_it(own: dict[str, Any]) -> None:
    columns = [name for name in own if name in PARAMETERS or name == "regime"]
    made_of = made(Cells(COMMON, columns, False), own)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Cells, "_copied", lambda self, own: resolve(**{**COMMON, **own}))
        assert made_of == made(Cells(COMMON, columns, False), own)


def test_a_cell_is_the_same_however_it_is_written() -> None:
    make = Cells(COMMON, ["targets"], False)
    assert make({"targets": 1}).digest == make({"targets": 1.0}).digest
    assert make({}).digest == make({"targets": PARAMETERS["targets"].default}).digest
    assert make({"targets": 0.2}).digest != make({"targets": 0.3}).digest


def test_a_run_that_needs_too_much_memory_is_refused() -> None:
    make = Cells(COMMON | {"systems": 10**7, "months": 1000}, [], False)
    with pytest.raises(InputError, match="GiB"):
        make({"monitoring": 0.2})


def test_two_cells_are_compared_seed_by_seed(tmp_path: Any) -> None:
    from conftest import table  # noqa: PLC0415

    from sim.study import Study  # noqa: PLC0415

    results: Results = Study.from_dict(table(seeds=5)).run(tmp_path / "r")
    found = results.compare({"monitoring": 0.9, "regime": "heavy"}, 1)
    runs = results.runs.set_index(["cell", "seed"])["fear"]
    row = found.set_index("outcome").loc["fear"]
    assert row["difference"] == pytest.approx((runs[6] - runs[1]).mean())
    assert row["low"] < row["difference"] < row["high"] and row["n"] == 5
    assert list(found) == ["outcome", "a", "b", "difference", "low", "high", "n"]
    for which, line in (
        (7, "cell = 7: must be a whole number from 1 to 6"),
        ({"monitoring": 0.9}, "{'monitoring': 0.9}: cells 5, 6 fit; say more"),
        ({"monitoring": 0.2}, "monitoring = 0.2: no cell has this value; there are 0.1, 0.5, 0.9"),
        (
            {"monitorin": 0.2},
            'monitorin = 0.2: the design does not vary this (did you mean "monitoring"?); it varies monitoring, regime',
        ),
    ):
        with pytest.raises(InputError) as caught:
            results.compare(which, 1)
        assert caught.value.lines == (line,)


@pytest.mark.parametrize("kind", ["grid", "list"])
def test_a_picture_says_what_the_numbers_say(tmp_path: Any, kind: str) -> None:
    from conftest import table  # noqa: PLC0415

    from sim.claims.statements import LIMITS  # noqa: PLC0415
    from sim.study import Study  # noqa: PLC0415

    design = {"kind": "list", "cell": [{"regime": "light"}, {"regime": "heavy"}]}
    changes = {} if kind == "grid" else {"design": design}
    results = Study.from_dict(table(seeds=5, title="Mine", **changes)).run(tmp_path / "r")
    figure = results.plot("fear")
    title = " ".join(figure.texts[-2].get_text().split())
    apart = results.compare(*((6, 2) if kind == "grid" else (2, 1))).set_index("outcome").loc["fear", "difference"]
    more = "With more monitoring, fear rises" if kind == "grid" else "Fear is highest under heavy oversight"
    assert apart > LIMITS["fear"].size and title.startswith(more)
    assert [path.suffix for path in save_figure(results, tmp_path / "mine.png")] == [".png"]
    with pytest.raises(InputError, match="no such outcome kept by this study"):
        results.plot("harm")

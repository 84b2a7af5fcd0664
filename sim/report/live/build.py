"""Make the page's engine of the compiled one: ``python -m sim.report.live.build`` writes engine.wasm and engine.json.

numba writes the functions of the engine as LLVM text. Here it does so without optimising (`UNTOUCHED`), as what it
makes otherwise is meant for this computer: its vectors, its instructions, and the size of its pointers. LLVM's passes
then run for WebAssembly, and its linker makes the module. So the page runs this engine, not a second one.

The module imports nothing. It exports its memory, the end of what it occupies there, and the entries; an entry takes
an array as an address and a number of elements (`_door`), and knows nothing of numba's arrays or Python's objects.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args, get_type_hints

from sim.errors import InputError
from sim.files import explained, write

HERE = Path(__file__).parent
UNTOUCHED = {"NUMBA_OPT": "0", "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_DISABLE_JIT": "0"}
"""What numba must find in the environment when it is loaded."""
TARGET, FEATURES = "wasm32-unknown-unknown", "+simd128,+bulk-memory,+bulk-memory-opt"
"""Every browser since 2023 has these features. None of them fuses or reorders anything, so bits stay equal."""

RESULTS = ("sums", "totals", "last", "by_organisation", "fear")
"""The arrays of the entry that hold what a run comes to."""
UNCOUNTED = "\n".join(f"define void @NRT_{what}(ptr %0) {{ ret void }}" for what in ("incref", "decref"))
"""In the place of numba's counting of who uses an array: those of a `_door` belong to JavaScript, and are not counted."""

PRODUCT = """
define void @__multi3(ptr %out, i64 %a, i64 %a_high, i64 %b, i64 %b_high) {
  %a0 = and i64 %a, 4294967295
  %a1 = lshr i64 %a, 32
  %b0 = and i64 %b, 4294967295
  %b1 = lshr i64 %b, 32
  %p00 = mul i64 %a0, %b0
  %p10 = mul i64 %a1, %b0
  %p01 = mul i64 %a0, %b1
  %p11 = mul i64 %a1, %b1
  %carry0 = lshr i64 %p00, 32
  %middle = add i64 %p10, %carry0
  %middle0 = and i64 %middle, 4294967295
  %middle1 = lshr i64 %middle, 32
  %other = add i64 %p01, %middle0
  %other1 = lshr i64 %other, 32
  %top = add i64 %p11, %middle1
  %high0 = add i64 %top, %other1
  %cross0 = mul i64 %a, %b_high
  %cross1 = mul i64 %a_high, %b
  %high1 = add i64 %high0, %cross0
  %high = add i64 %high1, %cross1
  %low = mul i64 %a, %b
  store i64 %low, ptr %out
  %there = getelementptr i64, ptr %out, i32 1
  store i64 %high, ptr %there
  ret void
}
"""
"""The product of two numbers of 128 bits, which LLVM makes of the four products in `streams._high` and then calls. It
is added after LLVM's passes, which would turn it into a call of itself."""


def main() -> int:
    """Build from the model and write both files beside this one; 1 where that cannot be, with one line that says why."""
    if "numba" in sys.modules:
        print("sim: numba is loaded already, for this processor; run python -m sim.report.live.build", file=sys.stderr)
        return 1
    os.environ |= UNTOUCHED
    try:
        from sim.model import engine  # noqa: PLC0415 -- loads numba

        module, facts = build(engine.advance, engine.lengths)
        with explained(HERE):
            write(HERE / "engine.wasm", module)
            write(HERE / "engine.json", json.dumps(facts, indent=1).encode() + b"\n")
    except InputError as error:
        print(*(f"sim: {line}" for line in error.lines), sep="\n", file=sys.stderr)
        return 1
    print(f"engine.wasm: {len(module)} bytes, of model {facts['identity']}")
    return 0


def build(*entries: Callable[..., Any]) -> tuple[bytes, dict[str, Any]]:
    """The module with these compiled functions, and what engine.js has to know of it.

    Raises `InputError` where there is no linker, and where a function needs what WebAssembly has not.
    """
    from sim.model import engine, parameters  # noqa: PLC0415
    from sim.model.version import identity  # noqa: PLC0415

    if find_spec("ziglang") is None:
        raise InputError(["there is no linker for WebAssembly; install one with: pip install ziglang"])
    module = _named(linked(text(*entries), [entry.__name__ for entry in entries]), "identity", identity())
    return module, {
        "identity": identity(),
        "sha256": hashlib.sha256(module).hexdigest(),
        "made_with": {name: version(name) for name in ("numba", "llvmlite", "ziglang")},
        "arrays": {name: kind.dtype.name for name, kind in _types(entries[0]).items() if hasattr(kind, "dtype")},
        "results": list(RESULTS),
        "sizes": list(engine.Sizes._fields),
        "values": [*parameters.COEFFICIENTS, *parameters.SPREADS],
        "levers": list(parameters.LEVERS),
        "fields": list(engine.FIELDS),
    }


def text(*entries: Callable[..., Any]) -> Any:
    """LLVM's module of compiled functions and all they call, optimised for WebAssembly, with a `_door` to each."""
    import llvmlite.binding as llvm  # noqa: PLC0415
    import numba  # noqa: PLC0415

    from sim.model.compiling import OPTIONS  # noqa: PLC0415

    if numba.config.OPT != 0 or numba.config.CPU_NAME != "generic":
        raise InputError(["numba is loaded for this processor; run python -m sim.report.live.build"])
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    whole = llvm.parse_assembly(UNCOUNTED)
    for entry in entries:
        made: Any = numba.njit(**OPTIONS)(getattr(entry, "py_func", entry))  # anew: what was kept has no text
        kinds = tuple(_types(entry).values())
        made.compile(kinds)
        whole.link_in(llvm.parse_assembly(made.overloads[kinds].library.get_llvm_str()))
        whole.link_in(llvm.parse_assembly(_door(made.overloads[kinds], entry.__name__)))
    machine = _machine()
    whole.triple, whole.data_layout = TARGET, str(machine.target_data)
    names = {entry.__name__ for entry in entries}
    for symbol in (*whole.functions, *whole.global_variables):
        if not symbol.is_declaration:  # what nobody enters or calls is left out
            symbol.linkage = "external" if symbol.name in names else "internal"
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = tuning.slp_vectorization = True
    passes = llvm.create_pass_builder(machine, tuning)
    passes.getModulePassManager().run(whole, passes)
    whole.link_in(llvm.parse_assembly(PRODUCT))
    whole.verify()
    foreign = [f.name for f in whole.functions if f.is_declaration and not f.name.startswith("llvm.")]
    foreign += [f.name for f in whole.functions if f.name.startswith(("llvm.x86.", "llvm.aarch64.", "llvm.fma"))]
    if foreign := [name for name in foreign if name != "sqrt"]:  # WebAssembly has an instruction for it
        raise InputError([f"the engine calls what WebAssembly has not: {', '.join(sorted(foreign))}"])
    return whole


def linked(module: Any, names: list[str]) -> bytes:
    """A WebAssembly module that exports these functions and imports nothing."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "engine.o", Path(folder) / "engine.wasm"
        source.write_bytes(_machine().emit_object(module))
        command = [sys.executable, "-m", "ziglang", "wasm-ld", "--no-entry", "--strip-all", "--stack-first",
                   *(f"--export={name}" for name in (*names, "__heap_base")), "-o", str(target), str(source)]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError([f"the linker failed: {' '.join(done.stderr.split())[:300]}"])
        return target.read_bytes()


def _machine() -> Any:
    import llvmlite.binding as llvm  # noqa: PLC0415

    return llvm.Target.from_triple(TARGET).create_target_machine(opt=3, features=FEATURES, reloc="static")


def _types(entry: Callable[..., Any]) -> dict[str, Any]:
    """numba's types of a function's arguments, from its annotations."""
    import numba  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    def kind(hint: Any) -> Any:
        if hint in (int, np.uint64):
            return numba.types.int64 if hint is int else numba.types.uint64
        (element,) = get_args(get_args(hint)[1])
        return numba.types.Array(numba.from_dtype(np.dtype(element)), 1, "C")

    return {name: kind(hint) for name, hint in get_type_hints(entry).items() if name != "return"}


def _door(made: Any, name: str) -> str:
    """LLVM text of a function that calls a compiled one: for an array it takes an address and a number of elements."""
    from llvmlite import ir  # noqa: PLC0415
    from numba.np.arrayobj import populate_array  # noqa: PLC0415

    context, kinds, kept = made.target_context, made.fndesc.argtypes, []
    module = ir.Module(name)
    whole = ir.IntType(64)
    taken = [[context.get_data_type(k.dtype).as_pointer(), whole] if hasattr(k, "dtype") else [whole] for k in kinds]
    door = ir.Function(module, ir.FunctionType(whole, [kind for each in taken for kind in each]), name)
    builder, given = ir.IRBuilder(door.append_basic_block()), iter(door.args)
    for kind in kinds:
        first = next(given)
        if hasattr(kind, "dtype"):
            array = context.make_array(kind)(context, builder)
            populate_array(array, first, [next(given)], [whole(8)], whole(8), None)
            first = array._getvalue()
        kept.append(first)
    called = context.declare_function(module, made.fndesc)
    status, result = context.call_conv.call_function(builder, called, made.fndesc.restype, kinds, kept)
    builder.ret(builder.select(status.is_ok, result, whole(-1)))
    return str(module)


def _named(module: bytes, name: str, content: str) -> bytes:
    """The module with a section of its own that holds a text; all lengths are below 128."""
    body = bytes([len(name)]) + name.encode() + content.encode()
    return module + bytes([0, len(body)]) + body


if __name__ == "__main__":
    sys.exit(main())

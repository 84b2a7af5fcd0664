"""Build the page's engine: ``python -m sim.report.live.build`` writes ``engine.wasm`` and ``engine.json`` beside this.

It is the compiled engine and no second model. Numba lowers `sim.model.engine.advance` behind an entry that takes
pointers, and hands out the text before LLVM has optimised anything, so that no size of a pointer is in it yet. LLVM
then optimises it for wasm32, and wasm-ld links it. The module imports nothing.

With Python 3.11 and the versions of constraints.txt the bytes repeat. They change with every change of the engine: run
this again.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from sim.errors import InputError
from sim.files import explained, write
from sim.model import engine
from sim.model.compiling import OPTIONS
from sim.model.outcomes import POST_COLUMNS
from sim.model.parameters import COEFFICIENTS, LEVERS, SPREADS
from sim.model.record import FIELDS, LANES
from sim.model.streams import ABREAST
from sim.model.version import identity

HERE = Path(__file__).parent
TARGET, FEATURES = "wasm32-unknown-unknown", "+simd128,+bulk-memory,+nontrapping-fptoint"
ENVIRONMENT = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_OPT": "0", "NUMBA_DISABLE_JIT": "0",
               "NUMBA_BOUNDSCHECK": "0", "NUMBA_DEBUGINFO": "0"}  # fmt: skip
"""Numba reads these when it is imported."""
KINDS = {"Floats": types.float64, "NDArray[np.int64]": types.int64, "NDArray[np.uint64]": types.uint64}
"""The numbers of an array, by the annotation of the argument."""
LIBRARY = """
declare double @llvm.sqrt.f64(double)
define double @sqrt(double %x) alwaysinline {
  %root = call double @llvm.sqrt.f64(double %x)
  ret double %root
}
"""
"""What numba calls by name and WebAssembly has as an instruction."""
MULTIPLY = """
define void @__multi3(ptr %to, i64 %a, i64 %a_high, i64 %b, i64 %b_high) {
  %a0 = and i64 %a, 4294967295
  %b0 = and i64 %b, 4294967295
  %a1 = lshr i64 %a, 32
  %b1 = lshr i64 %b, 32
  %p00 = mul i64 %a0, %b0
  %p10 = mul i64 %a1, %b0
  %p01 = mul i64 %a0, %b1
  %p11 = mul i64 %a1, %b1
  %carry = lshr i64 %p00, 32
  %middle = add i64 %p10, %carry
  %middle_low = and i64 %middle, 4294967295
  %other = add i64 %p01, %middle_low
  %middle_high = lshr i64 %middle, 32
  %other_high = lshr i64 %other, 32
  %h1 = add i64 %p11, %middle_high
  %h2 = add i64 %h1, %other_high
  %c1 = mul i64 %a_high, %b
  %c2 = mul i64 %a, %b_high
  %h3 = add i64 %h2, %c1
  %high = add i64 %h3, %c2
  %low = mul i64 %a, %b
  store i64 %low, ptr %to
  %behind = getelementptr i64, ptr %to, i32 1
  store i64 %high, ptr %behind
  ret void
}
"""
"""The product of two 128-bit numbers: LLVM sees in the streams' `_high` one, which WebAssembly has not. It is an object
of its own, or LLVM would see one in this function, too."""


@intrinsic  # type: ignore[untyped-decorator]
def _array(_: Any, pointer: Any, length: Any) -> Any:
    """An array over memory, which counts no references (`numba.carray` does)."""
    kind = types.Array(pointer.dtype, 1, "C")

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, size = context.make_array(kind)(context, builder), ir.Constant(ir.IntType(64), 8)
        populate_array(array, data=builder.bitcast(arguments[0], array.data.type), strides=[size], itemsize=size,
                       shape=[builder.sext(arguments[1], ir.IntType(64))], meminfo=None)  # fmt: skip
        return array._getvalue()

    return kind(pointer, types.int32), make


def lower() -> tuple[str, str, list[str]]:
    """The engine as LLVM's text, the name of the entry in it, and the names of its arrays.

    The entry takes a pointer to the result, one that is never used, the first month, the seed, and for every array a
    pointer and a length.
    """
    advance = getattr(engine.advance, "py_func", engine.advance)
    numbers = {name: KINDS.get(given.annotation) for name, given in inspect.signature(advance).parameters.items()}
    arrays = [name for name, kind in numbers.items() if kind]
    if list(numbers) != ["first", "seed", *arrays]:
        raise InputError([f"the engine takes {', '.join(numbers)}; expected are first, seed and arrays"])
    bare = numba.njit(_nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)
    space: dict[str, Any] = {"array": _array, "advance": bare(advance)}
    taken, passed = (", ".join(form.format(name) for name in arrays) for form in ("{0}, {0}_n", "array({0}, {0}_n)"))
    exec(f"def entry(first, seed, {taken}): return advance(first, seed, {passed})", space)
    made = bare(space["entry"])
    pointers = [part for name in arrays for part in (types.CPointer(numbers[name]), types.int32)]
    made.compile(types.int64(types.int32, types.uint64, *pointers))
    (signature,) = made.signatures
    return made.inspect_llvm(signature), made.overloads[signature].fndesc.llvm_func_name, arrays


def translate(text: str, entry: str) -> tuple[bytes, bytes]:
    """Objects for wasm32: the engine, whose entry is called ``advance``, and what it calls.

    Raises `InputError` where the text has sizes of pointers in it already, or calls what is not there.
    """
    if found := re.search(r"ptrtoint|getelementptr [a-z ]*i8, .*", text):
        raise InputError([f"numba's text counts in bytes, of pointers perhaps: {found[0][:80]}"])
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(TARGET).create_target_machine(opt=3, features=FEATURES, reloc="static")
    module, library, multiply = (llvm.parse_assembly(part) for part in (text, LIBRARY, MULTIPLY))
    for each in (module, library, multiply):
        each.triple, each.data_layout = TARGET, str(machine.target_data)
    module.link_in(library)
    for each in (*module.functions, *module.global_variables):
        if not each.is_declaration:
            each.linkage = "external" if each.name == entry else "internal"
    module.get_function(entry).name = "advance"
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    module.verify()
    names = [each.name for each in (*module.functions, *module.global_variables) if each.is_declaration]
    names += re.findall(r"@([\w.]*(?:NumbaEnv|numba|pickle)\w*)", str(module))
    left = {name for name in names if not name.startswith("llvm.")}
    if left:
        raise InputError([f"the engine's text still has {', '.join(sorted(left))}"])
    return machine.emit_object(module), machine.emit_object(multiply)


def link(objects: tuple[bytes, ...]) -> bytes:
    """One module of WebAssembly, without imports."""
    ours, system = [sys.executable, "-m", "ziglang", "wasm-ld"], shutil.which("wasm-ld")
    if not (find_spec("ziglang") or system):
        raise InputError(["no linker for WebAssembly; install one: pip install ziglang"])
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name, f"{number}.o") for number in range(len(objects))]
        for file, content in zip(files, objects, strict=True):
            file.write_bytes(content)
        command = [*(ours if find_spec("ziglang") else [str(system)]), "--no-entry", "--stack-first", "--strip-all",
                   "--export=advance", "--export=__heap_base", "-o", f"{name}/made", *map(str, files)]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError([f"wasm-ld: {done.stderr.strip().splitlines()[0][:200]}"])
        return Path(name, "made").read_bytes()


def build() -> tuple[bytes, dict[str, Any]]:
    """The module, and what a page must know about it."""
    text, entry, arrays = lower()
    mark = identity().encode()
    section = bytes([len(b"identity"), *b"identity", *mark])
    made = link(translate(text, entry)) + bytes([0, len(section)]) + section
    e = engine
    lengths = {"block": e.BLOCK, "home_block": e.HOME_BLOCK, "recorded": e.RECORDED, "kept_block": e.KEPT_BLOCK,
               "lanes": LANES, "abreast": ABREAST, "place": len(e.PLACE), "nation": len(e.NATION),
               "candidate": len(e.CANDIDATE), "fields": len(FIELDS), "columns": len(POST_COLUMNS)}  # fmt: skip
    about = {"identity": identity(), "sha256": hashlib.sha256(made).hexdigest(), "sizes": e.Sizes._fields,
             "values": [*COEFFICIENTS, *SPREADS], "levers": list(LEVERS), "fields": FIELDS,
             "columns": list(POST_COLUMNS), "arrays": arrays, "lengths": lengths}  # fmt: skip
    return made, about


def main() -> None:
    """Build, in a process in which numba was imported with `ENVIRONMENT`."""
    if any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
        again = [sys.executable, "-m", "sim.report.live.build"]
        raise SystemExit(subprocess.run(again, env=os.environ | ENVIRONMENT, check=False).returncode)
    try:
        made, about = build()
        with explained(HERE):
            write(HERE / "engine.wasm", made)
            write(HERE / "engine.json", json.dumps(about, indent=1).encode() + b"\n")
    except InputError as error:
        raise SystemExit(f"sim: {error}") from None
    print(f"{HERE / 'engine.wasm'}: {len(made)} bytes")


if __name__ == "__main__":
    main()

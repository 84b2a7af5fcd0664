"""The live page's engine: the compiled engine, as a WebAssembly module that a browser runs without a server.

``python -m sim.report.live.build`` makes ``engine.wasm`` and ``engine.json`` from the model; ``engine.js`` runs them.
"""

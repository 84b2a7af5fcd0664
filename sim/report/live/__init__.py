"""The engine for a page: the compiled engine as WebAssembly, and what a page needs to call it."""

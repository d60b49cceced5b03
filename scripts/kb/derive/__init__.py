"""Derives what importable globals can do from Python sources, without importing them.

`sources` finds modules in wheels and in a standard library, `extract` turns a module into a summary,
`universe` links names, `reach` follows calls to primitives, `roles` judges globals.
"""

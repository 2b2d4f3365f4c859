"""The MySQL protocol as far as hooks and their tests need it, in plain Python.

Payloads only: no packet headers. What cannot be read or written raises `WireError`, with the text that the plugin has
for it.

It does not use the native module on purpose: hooks are tested without anything compiled, and where the conformance tests
compare bytes they compare two implementations, not one with itself.
"""

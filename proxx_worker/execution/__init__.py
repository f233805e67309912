"""Runs one job, from its spec to its committed result: check, encode and verify each task, publish. It knows no inbox."""

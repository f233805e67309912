"""Delivery: an output directory held for one job, its hidden staging, and the publishing of all outputs together.

Every step is taken relative to a held descriptor of the output directory, so that a folder swapped for a symlink in between
redirects nothing.
"""

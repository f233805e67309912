"""Delivery: locks an output directory for one job, manages its hidden staging folder, and publishes all outputs together.

Every step is relative to an open descriptor of the output directory, so that swapping the folder for a symlink redirects
nothing.
"""

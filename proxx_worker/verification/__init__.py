"""Verifies a proxy against its plan, using what the encode and ffprobe reported, and explains failures. Pure."""

"""Turns clips in folders into JobSpecs in inboxes, and gathers outputs in one folder. A client: it only drops and reads files."""

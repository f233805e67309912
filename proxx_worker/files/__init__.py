"""File system primitives: durable writes, renames that never overwrite, classification of errors and filesystems."""

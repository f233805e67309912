"""File system primitives: durable writes, moves that never overwrite, errno and mount classification."""

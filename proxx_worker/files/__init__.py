"""What every effect room needs of a file system: durable writes, moves that never overwrite, errno and mount classification."""

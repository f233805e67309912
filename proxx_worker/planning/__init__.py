"""Facts of a source and settings in, a whole FFmpeg command and what its output must match out. Pure, like the contract."""

"""Facts of a source and settings in, a whole FFmpeg command and what its output must be out. Pure, like the contract."""

"""FFmpeg and ffprobe: what each is asked, with which files, and what its end means."""

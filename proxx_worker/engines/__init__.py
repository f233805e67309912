"""The engine room: FFmpeg and ffprobe as child processes."""

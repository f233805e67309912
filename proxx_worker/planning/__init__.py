"""Turns a source's facts and the settings into a complete FFmpeg command and the expected output. Pure, like the contract."""

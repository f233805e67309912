"""What FFmpeg and ffprobe print, by value: written as they write it, and read at once."""

from proxx_worker.verification.proxy_probe import ProxyReader, ProxyReport


def parse_proxy(stdout: bytes) -> ProxyReport:
    """Parse all of ffprobe's output at once."""
    reader = ProxyReader()
    reader.feed(stdout)
    return reader.finish()


def write_edge(stream: int, time: int, *, ends: bool, placed: bool = False) -> int:
    """The number by which an encode reports where a frame of audio starts or ends, as `planning/audio_report.py` describes it."""
    return (1 << 51) - (1 << 53) + 256 * time + 4 * stream + 2 * placed + ends

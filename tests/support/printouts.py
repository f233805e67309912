"""What FFmpeg and ffprobe print, by value: written as they write it, and read at once."""

from proxx_worker.verification.proxy_probe import ProxyReader, ProxyReport


def parse_proxy(stdout: bytes) -> ProxyReport:
    """Parse all of ffprobe's output at once."""
    reader = ProxyReader()
    reader.feed(stdout)
    return reader.finish()


def write_frame(stream: int, time: int, samples: int, *, placed: bool = False) -> int:
    """The number by which an encode reports a frame of decoded audio, as `planning/audio_report.py` describes it."""
    return -(1 << 53) + ((time % (1 << 29) << 16) + min(samples, 65535)) * 128 + 2 * stream + placed

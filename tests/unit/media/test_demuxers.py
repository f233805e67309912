import pytest

from proxx_worker.media.demuxers import ALLOWED_DEMUXERS, BARE_STREAMS, MEDIA_DEMUXERS, NUMBERED, demuxer_name


@pytest.mark.parametrize(
    ("format_name", "expected"),
    [("mov,mp4,m4a,3gp,3g2,mj2", "mov"), ("matroska,webm", "matroska"), ("mxf", "mxf"), ("hls", None), ("", None)],
)
def test_ffprobe_s_name_means_an_allowed_demuxer_or_none(format_name: str, expected: str | None) -> None:
    assert demuxer_name(format_name) == expected


FAR_REACHING = "concat hls dash webm_dash_manifest imf sdp rtsp rtp sap image2 image2pipe lavfi vobsub tty data ffmetadata"
TIMELESS = "rawvideo mjpeg m4v"


@pytest.mark.parametrize("name", [*FAR_REACHING.split(), *sorted({*TIMELESS.split(), *BARE_STREAMS})])
def test_what_reaches_further_than_its_file_or_has_no_times_is_not_allowed(name: str) -> None:
    assert name not in ALLOWED_DEMUXERS


def test_a_bare_stream_is_numbered_or_refused() -> None:
    assert set(MEDIA_DEMUXERS) >= NUMBERED
    assert not NUMBERED & set(BARE_STREAMS)

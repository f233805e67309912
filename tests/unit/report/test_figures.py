"""What filters print, read among complaints."""

from math import isnan

from proxx_worker.report.figures import FigureReader

PRINTED = b"""[info] something
frame:0    pts:0       pts_time:0
of=source
frame:0    pts:0       pts_time:0.02
of=proxy
frame:0    pts:0       pts_time:0
lavfi.ssim.Y=0.990000
lavfi.ssim.All=0.980000
lavfi.ssim.dB=20.0
of=pair
[h264 @ 0x55d0c0] [error] erframe:1    pts:512     pts_time:0.04
of=source
frame:0    pts:0       pts_time:0
lavfi.idet.multiple.current_frame=tff
of=source
fields=source
frame:0    pts:0       pts_time:0
lavfi.idet.multiple.current_frame=bff
of=proxy
fields=proxy
frame:7    pts:100     pts_time:0.1
lavfi.r128.M=-20
lavfi.r128.I=-23.100
of=source0
frame:8    pts:NOPTS   pts_time:NOPTS
of=proxy
[h264 @ 0x55d0c0] [error] no frame!
[opus @ 0x1] [error] Error parsing Opus packet header.
frame:9    pts:1 pts_time:1
lavfi.ssim.All=inf
of=pair"""


def test_figures_are_found_among_the_complaints() -> None:
    for size in (1, 7, len(PRINTED)):
        reader = FigureReader()
        for start in range(0, len(PRINTED), size):
            reader.feed(PRINTED[start : start + size])
        figures = reader.finish()
        assert list(figures.source_times) == [0.0, 0.04]
        assert figures.proxy_times[0] == 0.02
        assert isnan(figures.proxy_times[1])
        assert [round(value, 3) for value in figures.ssim] == [0.98, 1.0]
        assert figures.source_fields == {"tff": 1}
        assert figures.proxy_fields == {"bff": 1}
        assert figures.loudness == {"source0": -23.1}
        assert figures.complaints == ["[h264] [error] no frame!"]


def test_only_so_many_complaints_are_kept() -> None:
    reader = FigureReader()
    reader.feed(b"[h264 @ 0x1] [error] bad\n" * 1000 + b"x" * 10_000)
    assert len(reader.finish().complaints) == 50

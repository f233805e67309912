"""Which of FFmpeg's demuxers may open a source, and the names of others in a refusal.

A demuxer is allowed because camera or post media comes in that container, or because it names a known format without video
(so that the answer is SOURCE_NO_VIDEO). All others are kept out: playlists and scripts (hls, dash, concat, imf, sdp, vobsub, ...)
open other files or the network; image2 reads name patterns; *_pipe demuxers are stills; most bare streams (vvc, m4v, obu, ...)
have neither times nor a rate to number their frames by; formats of games and surveillance are not sources for editing.

FFmpeg probes with all of its demuxers and checks the list before the chosen one reads anything.
"""

from collections.abc import Mapping

MEDIA_DEMUXERS: Mapping[str, str] = {
    "mov": "QuickTime, MP4, 3GP: most cameras, phones and post tools",
    "mxf": "MXF OP1a and OP-Atom: broadcast cameras, Avid",
    "matroska": "Matroska and WebM: screen recorders, open post tools",
    "mpegts": "MPEG-2 transport streams: AVCHD, HDV, broadcast recordings",
    "mpeg": "MPEG program streams: DVD camcorders, older archives",
    "avi": "AVI: older cameras, capture cards",
    "dv": "raw DV: tape captures; rate and timecode are in the stream",
    "asf": "ASF, WMV: older screen recorders",
    "flv": "Flash video: stream recordings",
    "wtv": "Windows recorded TV",
    "gxf": "GXF: broadcast servers",
    "ivf": "IVF: bare VP8, VP9 and AV1, with a time at each frame",
    "ogg": "Ogg: open cameras and recorders; also audio alone",
    "h264": "bare H.264: encoders, capture programs",
    "mpegvideo": "bare MPEG-1 and MPEG-2 video: authoring tools, older encoders",
}
"""Containers that can hold video, and why each is allowed."""

NO_VIDEO_DEMUXERS: Mapping[str, str] = {
    "wav": "WAV, BWF, RF64",
    "w64": "Sony Wave64",
    "aiff": "AIFF",
    "caf": "Core Audio",
    "mp3": "MPEG audio",
    "flac": "FLAC",
    "aac": "AAC",
    "ac3": "AC-3",
    "eac3": "E-AC-3",
    "au": "Sun audio",
    "srt": "SubRip subtitles",
    "webvtt": "WebVTT subtitles",
    "ass": "SubStation Alpha subtitles",
    "scc": "Scenarist captions",
}
"""Known formats without video, at most a cover image. None opens a second file (as vobsub would)."""

NUMBERED = frozenset({"mpegvideo", "h264"})
"""Bare streams among those: their frames are numbered in order at their stated rate (see `bare_streams`)."""

BARE_STREAMS: Mapping[str, str] = {
    "hevc": "H.265",
    "vvc": "H.266",
    "m4v": "MPEG-4",
    "mjpeg": "Motion JPEG",
    "obu": "AV1",
}
"""Streams of nothing but pictures, which are refused because they have no times. H.265 may state a rate, but nothing shows
whether its last picture is complete. The values are the operators' names for them."""

ALLOWED_DEMUXERS = (*MEDIA_DEMUXERS, *NO_VIDEO_DEMUXERS)


def demuxer_name(format_name: str) -> str | None:
    """The allowed demuxer that ffprobe's `format_name` (`mov,mp4,m4a,3gp,3g2,mj2`) means; None for one that is not allowed."""
    return next((name for name in format_name.split(",") if name in ALLOWED_DEMUXERS), None)

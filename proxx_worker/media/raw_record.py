"""The record of camera RAW in a result: what Resolve's clip properties state, and null for the rest."""

from collections.abc import Iterator

from proxx_worker.contract.source_media import SourceColor, SourceMedia, SourceVideo
from proxx_worker.media.clip_properties import SurveyedRaw
from proxx_worker.media.source_record import rational, source_timecode


def raw_source_media(source: SurveyedRaw) -> SourceMedia:
    """The record. Audio streams are not listed: Resolve reports only the number of their channels."""
    clip = source.clip
    duration = None if clip.rate is None or clip.frames is None else rational(clip.frames / clip.rate)
    return SourceMedia(
        formats=[source.format],
        video=SourceVideo(
            index=None,
            codec=clip.text("Video Codec") or source.format,
            profile=None,
            codec_tag=None,
            width=None if clip.size is None else clip.size[0],
            height=None if clip.size is None else clip.size[1],
            sample_aspect=None if clip.sample_aspect is None else rational(clip.sample_aspect),
            rotation=None,
            field_order=None,
            rate=None if clip.rate is None else rational(clip.rate),
            average_rate=None,
            constant_rate=clip.rate is not None,
            time_base=None,
            start=None,
            duration=duration,
            frames=clip.frames,
            frames_certain=clip.frames is not None,
            pixel_format=None,
            bit_depth=None,
            has_alpha=None,
            color=SourceColor(
                range=None,
                matrix=None,
                primaries=None,
                transfer=None,
                chroma_location=None,
                mastering_display=None,
                content_light=None,
            ),
            dolby_vision_profile=None,
            coded_width=None,
            coded_height=None,
            mirrored=None,
            clean_aperture=None,
        ),
        audio=[],
        timecode=None if clip.timecode is None else source_timecode(clip.timecode),
        reel=clip.reel,
        start=None,
        duration=duration,
        other_streams=[],
        notes=list(_notes(source)),
        resolve={
            "properties": dict(clip.properties),
            "audio_channels": clip.audio_channels,
            "parts": list(source.parts),
            "sidecars": list(source.sidecars),
        },
    )


def _notes(source: SurveyedRaw) -> Iterator[str]:
    if source.parts:
        yield f"the clip continues in {len(source.parts)} more files: {', '.join(source.parts)}"
    for name in source.sidecars:
        yield f"Resolve applies {name}, which is beside the clip"
    if source.clip.audio_channels:
        yield f"Resolve reports {source.clip.audio_channels} channels of audio, but not how they are divided into streams"

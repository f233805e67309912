"""The facts of a source as written into a result. Field by field: renaming or adding a fact does not change any result."""

from fractions import Fraction

from proxx_worker.contract.source_media import SourceAudio, SourceColor, SourceMedia, SourceTimecode, SourceVideo
from proxx_worker.media.facts import AudioFacts, ColorFacts, MediaFacts, Timecode, VideoFacts


def source_media(facts: MediaFacts) -> SourceMedia:
    """The record of `facts`; rationals as `"30000/1001"`."""
    return SourceMedia(
        formats=list(facts.formats),
        video=_video(facts.video),
        audio=[_audio(stream) for stream in facts.audio],
        timecode=None if facts.timecode is None else source_timecode(facts.timecode),
        reel=facts.reel,
        start=_optional(facts.start),
        duration=_optional(facts.duration),
        other_streams=list(facts.other_streams),
        notes=list(facts.notes),
    )


def rational(value: Fraction) -> str:
    """`30000/1001`, whole numbers too (`25/1`)."""
    return f"{value.numerator}/{value.denominator}"


def _optional(value: Fraction | None) -> str | None:
    return None if value is None else rational(value)


def _video(video: VideoFacts) -> SourceVideo:
    return SourceVideo(
        index=video.index,
        codec=video.codec,
        profile=video.profile,
        codec_tag=video.codec_tag,
        width=video.width,
        height=video.height,
        sample_aspect=rational(video.sample_aspect),
        rotation=video.rotation,
        field_order=video.field_order,
        rate=rational(video.rate),
        average_rate=_optional(video.average_rate),
        constant_rate=video.constant_rate,
        time_base=rational(video.time_base),
        start=_optional(video.start),
        duration=_optional(video.duration),
        frames=video.frames,
        frames_certain=video.frames_certain,
        pixel_format=video.pixel_format,
        bit_depth=video.bit_depth,
        has_alpha=video.has_alpha,
        color=_color(video.color),
        dolby_vision_profile=video.dolby_vision_profile,
        coded_width=video.coded_width,
        coded_height=video.coded_height,
        mirrored=video.mirrored,
        clean_aperture=video.clean_aperture,
    )


def _color(color: ColorFacts) -> SourceColor:
    return SourceColor(
        range=color.range,
        matrix=color.matrix,
        primaries=color.primaries,
        transfer=color.transfer,
        chroma_location=color.chroma_location,
        mastering_display=color.mastering_display,
        content_light=color.content_light,
    )


def _audio(audio: AudioFacts) -> SourceAudio:
    return SourceAudio(
        index=audio.index,
        codec=audio.codec,
        channels=audio.channels,
        layout=audio.layout,
        sample_rate=audio.sample_rate,
        sample_format=audio.sample_format,
        bits_per_sample=audio.bits_per_sample,
        start=_optional(audio.start),
        duration=_optional(audio.duration),
        profile=audio.profile,
        unbroken=audio.gapless,
        time_base=_optional(audio.time_base),
    )


def source_timecode(timecode: Timecode) -> SourceTimecode:
    """The record of a timecode."""
    return SourceTimecode(text=timecode.text, drop_frame=timecode.drop_frame, origin=timecode.origin)

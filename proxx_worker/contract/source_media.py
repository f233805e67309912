"""A result's facts about a source: `tasks[].source_media`, field by field. Rationals are text, `"30000/1001"`.

Every field is stable: one that is here stays, with its name and its meaning.
"""

from typing import Annotated

from pydantic import Field

from proxx_worker.contract.record import Facts, Record, Text

Rational = Annotated[str, Field(pattern=r"^-?[0-9]+/[1-9][0-9]*$", examples=["30000/1001"])]


class SourceTimecode(Record):
    """The start timecode that the proxy carries."""

    text: Text = Field(description="HH:MM:SS:FF, with ; before the frames for drop-frame.")
    drop_frame: bool = Field(description="Whether it is drop-frame.")
    origin: Text = Field(description="Where it was found: stream, tmcd, format, rtmd or resolve.")


class SourceColor(Record):
    """Colour tags in FFmpeg's names; null if the file does not say."""

    range: Text | None = Field(description="tv (limited) or pc (full).")
    matrix: Text | None = Field(description="Matrix coefficients.")
    primaries: Text | None = Field(description="Colour primaries.")
    transfer: Text | None = Field(description="Transfer characteristics.")
    chroma_location: Text | None = Field(description="Where chroma samples lie.")
    mastering_display: Text | None = Field(description="G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min), in 0.00002 and 0.0001 cd/m2.")
    content_light: Text | None = Field(description="MaxCLL,MaxFALL in cd/m2.")


class SourceVideo(Record):
    """The video stream that the proxy is made of. Of camera RAW, null is what Resolve's clip properties do not tell."""

    index: int | None = Field(description="The stream's index in the file; null if only Resolve can tell.")
    codec: Text = Field(description="FFmpeg's name for it; for camera RAW, the format's name.")
    profile: Text | None = Field(description="The codec's profile, as FFmpeg calls it.")
    codec_tag: Text | None = Field(description="The container's four-character code for the codec.")
    width: int | None = Field(description="Pixels as decoded, before rotation.")
    height: int | None = Field(description="Pixels as decoded, before rotation.")
    sample_aspect: Rational | None = Field(description="Pixel width / height; 1/1 where the file does not say.")
    rotation: int | None = Field(description="Degrees to turn decoded frames clockwise for display: 0, 90, 180 or 270.")
    field_order: Text | None = Field(description="progressive, tt, bb, tb, bt; null if the file does not say.")
    rate: Rational | None = Field(description="Frames per second: the exact rate where it is constant, else the average.")
    average_rate: Rational | None = Field(description="The container's average rate.")
    constant_rate: bool = Field(description="Whether all frames last equally long.")
    time_base: Rational | None = Field(description="Seconds per tick of the stream's times.")
    start: Rational | None = Field(description="Seconds at which the stream starts.")
    duration: Rational | None = Field(description="Seconds, as the container says.")
    frames: int | None = Field(description="Frames that are presented, as far as the container says.")
    frames_certain: bool = Field(description="Whether that number can be relied on.")
    pixel_format: Text | None = Field(description="FFmpeg's name for it.")
    bit_depth: int | None = Field(description="Of the deepest component.")
    has_alpha: bool | None = Field(description="Whether the video has an alpha channel.")
    color: SourceColor = Field(description="Colour tags.")
    dolby_vision_profile: int | None = Field(description="Null unless it is Dolby Vision.")
    coded_width: int | None = Field(description="Pixels with the codec's padding.")
    coded_height: int | None = Field(description="Pixels with the codec's padding.")
    mirrored: bool | None = Field(
        description="Whether decoded frames are mirrored left to right for display, before they are turned."
    )
    clean_aperture: bool | None = Field(
        description="Whether this FFmpeg (7.1 and later) reports that the container marks a part of the frame; the whole is kept."
    )


class SourceAudio(Record):
    """One audio stream."""

    index: int = Field(description="The stream's index in the file.")
    codec: Text = Field(description="FFmpeg's name for it.")
    channels: int = Field(description="How many.")
    layout: Text | None = Field(description="As FFmpeg calls it, such as stereo or 5.1(side).")
    sample_rate: int = Field(description="In Hz.")
    sample_format: Text | None = Field(description="As decoded, as FFmpeg calls it.")
    bits_per_sample: int | None = Field(description="As stored.")
    start: Rational | None = Field(description="Seconds at which the stream starts.")
    duration: Rational | None = Field(description="Seconds, as the container says.")
    profile: Text | None = Field(description="The codec's profile, as FFmpeg calls it.")
    unbroken: bool = Field(description="Whether the container proves that its packets are played one after another, as stored.")
    time_base: Rational | None = Field(description="Seconds per tick of its times.")


class SourceMedia(Record):
    """What is known of a source."""

    formats: list[Text] = Field(description="The names of its container, as FFmpeg's demuxer has them.")
    video: SourceVideo = Field(description="The video stream.")
    audio: list[SourceAudio] = Field(description="Every audio stream, in order.")
    timecode: SourceTimecode | None = Field(description="Null if there is none.")
    reel: Text | None = Field(description="Reel or tape name.")
    start: Rational | None = Field(description="Seconds at which the file starts: its earliest stream.")
    duration: Rational | None = Field(description="Seconds, of the whole file.")
    other_streams: list[Text] = Field(description="What else the file contains, as kind:codec.")
    notes: list[Text] = Field(description="Notes on how an unusual source was handled, or on what was found in it and ignored.")
    resolve: Facts | None = Field(default=None, description="What only DaVinci Resolve's clip properties say; null for FFmpeg.")


class SettingsRecord(Record):
    """What the outputs were to be."""

    codec: Text = Field(description="As the JobSpec or the profile says.")
    container: Text = Field(description="As the JobSpec or the profile says.")
    resolution: Text = Field(description="same, half, quarter or WIDTHxHEIGHT.")
    fps_mode: Text = Field(description="same-as-source or explicit.")
    fps: Rational | None = Field(description="The explicit rate, exact.")
    dnxhr_level: Text | None = Field(default=None, description="lb, sq or hq; null for other codecs.")

"""What a finished proxy is compared with, by value."""

from fractions import Fraction

from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.media.facts import ColorFacts
from proxx_worker.planning.color_tags import Tags
from proxx_worker.planning.expectation import Expectation, ExpectedAudio, ExpectedTimecode, ExpectedTiming, ExpectedVideo
from proxx_worker.planning.plan import plan_task
from tests.unit.planning.sources import clip, settings
from tests.unit.planning.test_plan import CAMERA, NTSC


def test_a_proxy_must_be_what_its_plan_says() -> None:
    said = Tags("bt709", "bt709", "bt709")
    assert plan_task(settings(Codec.PRORES_LT, Container.MOV), CAMERA).expected == Expectation(
        Container.MOV,
        ExpectedVideo(
            codec="prores",
            profile="LT",
            codec_tag=None,
            size=(1920, 1080),
            display_aspect=Fraction(16, 9),
            field_order="progressive",
            color_range="tv",
            tags=said,
            frames=said,
            mastering_display=None,
            content_light=None,
        ),
        ExpectedTiming(
            rate=NTSC,
            varies=False,
            duration=Fraction(1001, 1000),
            converts=False,
            timecode=ExpectedTimecode("01:00:00;02"),
            reel="A001",
        ),
        (
            ExpectedAudio("pcm_s16le", 2, "stereo", 48000, start=Fraction(0), duration=Fraction(1)),
            ExpectedAudio("pcm_s24le", 1, "mono", 48000, start=Fraction(0), duration=Fraction(1)),
        ),
    )


def test_a_proxy_of_a_variable_rate_must_vary_in_what_it_copies() -> None:
    light = ColorFacts("tv", "bt2020nc", "bt2020", "smpte2084", mastering_display="G(1,2)", content_light="1000,400")
    expected = plan_task(settings(), clip(constant_rate=False, width=720, height=576, color=light)).expected
    assert expected.timing == ExpectedTiming(
        rate=None, varies=True, duration=Fraction(1), converts=False, timecode=ExpectedTimecode(None), reel=None
    )
    assert (expected.video.codec_tag, expected.video.display_aspect) == ("avc1", Fraction(5, 4))
    assert (expected.video.mastering_display, expected.video.content_light) == ("G(1,2)", "1000,400")
    assert expected.audio == (ExpectedAudio("aac", 2, "stereo", 48000, Fraction(0), Fraction(1), copied_from=1),)


def test_a_tag_that_mxf_cannot_hold_is_not_expected_of_it() -> None:
    source = clip(color=ColorFacts("tv", "bt709", "film", "log100"))
    tags = {
        container: plan_task(settings(Codec.DNXHR, container), source).expected.video.tags
        for container in (Container.MXF, Container.MOV)
    }
    assert tags == {Container.MXF: Tags("bt709", None, None), Container.MOV: Tags("bt709", "film", "log100")}

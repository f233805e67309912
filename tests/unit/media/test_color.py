import pytest

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.media.color import color_of, dolby_vision_profile_of, refuse_ipt
from proxx_worker.media.facts import ColorFacts
from proxx_worker.media.ffprobe_json import Section

MASTERING: dict[str, JsonValue] = {
    "side_data_type": "Mastering display metadata",
    "red_x": "34000/50000",
    "red_y": "16000/50000",
    "green_x": "13250/50000",
    "green_y": "34500/50000",
    "blue_x": "7500/50000",
    "blue_y": "3000/50000",
    "white_point_x": "15635/50000",
    "white_point_y": "16450/50000",
    "min_luminance": "0/10000",
    "max_luminance": "10000000/10000",
}
LIGHT: dict[str, JsonValue] = {"side_data_type": "Content light level metadata", "max_content": 1000, "max_average": 100}
NOTHING = Section({})


def test_tags_are_the_files_and_what_it_does_not_say_stays_unsaid() -> None:
    stream = Section({"color_range": "tv", "color_space": "bt709", "color_transfer": "unknown", "color_primaries": "reserved"})
    assert color_of(stream, NOTHING) == ColorFacts(range="tv", matrix="bt709")


def test_what_the_first_frame_says_goes_before_the_container_and_the_container_says_the_rest() -> None:
    stream = Section({"color_range": "tv", "color_space": "bt709", "color_primaries": "bt709", "chroma_location": "left"})
    frame = Section(
        {
            "color_range": "pc",
            "color_space": "unknown",
            "color_primaries": "bt2020",
            "color_transfer": "smpte2084",
            "chroma_location": "topleft",
            "side_data_list": [MASTERING, LIGHT],
        }
    )
    assert color_of(stream, frame) == ColorFacts(
        range="pc",
        matrix="bt709",
        primaries="bt2020",
        transfer="smpte2084",
        chroma_location="topleft",
        mastering_display="G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,0)",
        content_light="1000,100",
    )


def test_mastering_metadata_is_brought_to_the_same_units() -> None:
    stream = Section({"side_data_list": [MASTERING | {"red_x": "17/25", "max_luminance": "1000/1", "min_luminance": "1/200"}]})
    assert color_of(stream, NOTHING).mastering_display == (
        "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    )


@pytest.mark.parametrize("change", [{"red_x": "x"}, {"max_luminance": "0/0"}])
def test_a_part_that_is_missing_makes_the_whole_unknown(change: dict[str, JsonValue]) -> None:
    assert color_of(Section({"side_data_list": [MASTERING | change]}), NOTHING).mastering_display is None


ALL_ZERO: dict[str, JsonValue] = {key: "0/1" for key in MASTERING if key != "side_data_type"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"max_luminance": "50000/10000", "min_luminance": "49999/10000"}, "L(50000,49999)"),
        ({"max_luminance": "100000000/10000", "min_luminance": "50000/10000"}, "L(100000000,50000)"),
        ({"max_luminance": "49999/10000"}, None),
        ({"max_luminance": "100000001/10000"}, None),
        ({"min_luminance": "50001/10000"}, None),
        ({"max_luminance": "50000/10000", "min_luminance": "50000/10000"}, None),
        ({"max_luminance": "0/10000"}, None),
        ({"red_x": "5/50000", "red_y": "5/50000"}, "R(5,5)"),
        ({"white_point_x": "37000/50000", "white_point_y": "42000/50000"}, "WP(37000,42000)"),
        ({"red_x": "4/50000"}, None),
        ({"green_y": "4/50000"}, None),
        ({"blue_x": "37001/50000"}, None),
        ({"white_point_y": "42001/50000"}, None),
        ({"blue_y": "0/50000"}, None),
        (ALL_ZERO, None),
    ],
)
def test_a_mastering_display_that_says_unknown_is_none(change: dict[str, JsonValue], said: str | None) -> None:
    """As FFmpeg 7.1 and 9.0 read each of them; 5.1 reports the numbers as they stand."""
    found = color_of(NOTHING, Section({"side_data_list": [MASTERING | change]})).mastering_display
    assert found is None if said is None else said in (found or "")


@pytest.mark.parametrize(("peak", "average", "said"), [(0, 0, None), (1000, 0, "1000,0"), (0, 1, "0,1")])
def test_a_light_level_of_zero_is_unknown(peak: int, average: int, said: str | None) -> None:
    light: dict[str, JsonValue] = LIGHT | {"max_content": peak, "max_average": average}
    assert color_of(NOTHING, Section({"side_data_list": [light]})).content_light == said


def test_what_the_container_leaves_unknown_is_the_frames() -> None:
    empty: dict[str, JsonValue] = MASTERING | ALL_ZERO
    dark: dict[str, JsonValue] = LIGHT | {"max_content": 0, "max_average": 0}
    color = color_of(Section({"side_data_list": [empty, dark]}), Section({"side_data_list": [MASTERING, LIGHT]}))
    assert color.mastering_display == "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,0)"
    assert color.content_light == "1000,100"


def test_half_a_light_level_is_none() -> None:
    assert color_of(Section({"side_data_list": [LIGHT | {"max_average": None}]}), NOTHING).content_light is None


def record(profile: int, compatibility: int) -> dict[str, JsonValue]:
    return {
        "side_data_type": "DOVI configuration record",
        "dv_profile": profile,
        "dv_bl_signal_compatibility_id": compatibility,
    }


def unit(profile: int, full_range: int) -> dict[str, JsonValue]:
    return {
        "side_data_type": "Dolby Vision Metadata",
        "vdr_rpu_profile": profile,
        "bl_video_full_range_flag": full_range,
    }


@pytest.mark.parametrize(
    ("stream", "frame", "profile"),
    [
        ([], [], None),
        ([record(8, 4)], [], 8),
        ([record(8, 4)], [unit(0, 1)], 8),
        ([], [unit(0, 1)], 5),
        ([], [unit(0, 0)], None),
        ([], [unit(1, 1)], None),
    ],
)
def test_dolby_vision_is_known_by_its_record_else_by_its_first_frame(
    stream: list[JsonValue], frame: list[JsonValue], profile: int | None
) -> None:
    found = dolby_vision_profile_of(Section({"side_data_list": stream}), Section({"side_data_list": frame}))
    assert found == profile


@pytest.mark.parametrize(("dovi", "profile"), [([record(5, 0)], 5), ([], 5), ([record(10, 0)], 10)])
def test_a_base_layer_that_nobody_can_look_at_is_refused(dovi: list[JsonValue], profile: int) -> None:
    with pytest.raises(ProxxError, match=f"Dolby Vision profile {profile}") as refusal:
        refuse_ipt(Section({"side_data_list": dovi}), profile)
    assert refusal.value.code is ErrorCode.SOURCE_UNSUPPORTED


@pytest.mark.parametrize(("dovi", "profile"), [([record(8, 4)], 8), ([record(10, 4)], 10), ([], 10), ([], None)])
def test_other_base_layers_pass(dovi: list[JsonValue], profile: int | None) -> None:
    refuse_ipt(Section({"side_data_list": dovi}), profile)


def test_only_a_word_of_ffmpegs_own_becomes_a_colour() -> None:
    """It ends up in a filter's arguments, where `,` or `[` would begin another filter."""
    stream = Section({"color_primaries": "bt709,movie=/etc/passwd", "color_space": "bt709[x]", "color_transfer": "iec61966-2-1"})
    color = color_of(stream, NOTHING)
    assert (color.primaries, color.matrix, color.transfer) == (None, None, "iec61966-2-1")

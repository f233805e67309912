"""From clips to specs, by value."""

import json
from collections.abc import Sequence

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.feeding.clips import Clip, Skip
from proxx_worker.feeding.orders import (
    Beside,
    Destination,
    Directory,
    Mirror,
    Order,
    PlannedSpec,
    Refused,
    fixed_part,
    plan,
    require_apart,
    require_possible,
    without_collisions,
)

LOW, QUARTER, PRORES, RAW = "proxy_h264_low", "proxy_h264_quarter", "proxy_prores_proxy", "proxy_prores_proxy_resolve"


def clips(*relatives: str, root: str = "/mnt/cards", raw: bool | None = False) -> list[Clip]:
    return [Clip(f"{root}/{relative}", root, relative, raw) for relative in relatives]


def order(*profiles: str, to: Destination, **more: object) -> Order:
    return Order(profiles or (LOW,), to, **more)  # type: ignore[arg-type]


def refusals(found: Sequence[Clip], wanted: Order) -> tuple[Refused, ...]:
    return without_collisions(plan(found, wanted).specs)[1]


def outputs(specs: Sequence[PlannedSpec]) -> list[str]:
    return [output for spec in specs for output in spec.outputs]


def test_one_spec_per_clip_and_profile() -> None:
    planned = plan(clips("A/C0001.MP4", "B/C0001.MP4"), order(LOW, PRORES, to=Beside("Proxy")))
    assert [spec.stem for spec in planned.specs] == [
        "cards+A+C0001.MP4+proxy_h264_low",
        "cards+A+C0001.MP4+proxy_prores_proxy",
        "cards+B+C0001.MP4+proxy_h264_low",
        "cards+B+C0001.MP4+proxy_prores_proxy",
    ]
    assert outputs(planned.specs[:2]) == ["/mnt/cards/A/Proxy/C0001.mp4", "/mnt/cards/A/Proxy/C0001.mov"]
    assert json.loads(planned.specs[0].data) == {
        "jobspec_version": "2.1",
        "sources": ["/mnt/cards/A/C0001.MP4"],
        "output_directory": "/mnt/cards/A/Proxy",
        "proxy_profile": "proxy_h264_low",
        "naming_template": "{source_name}",
    }
    assert (planned.refused, planned.unfit) == ((), ())


def test_a_mirror_keeps_the_tree_below_the_root() -> None:
    planned = plan(clips("A/CLIP/C0001.MP4", "top.mov"), order(to=Mirror("/proxies")))
    assert outputs(planned.specs) == ["/proxies/A/CLIP/C0001.mp4", "/proxies/top.mp4"]
    assert planned.specs[1].output_directory == "/proxies"


def test_cards_that_are_named_together_have_a_folder_each() -> None:
    cards = [Clip(f"/mnt/{card}/CLIP/C1.MP4", f"/mnt/{card}", "CLIP/C1.MP4", raw=False) for card in ("A", "B")]
    planned = plan(cards, order(to=Mirror("/proxies", by_root=True)))
    assert outputs(planned.specs) == ["/proxies/A/CLIP/C1.mp4", "/proxies/B/CLIP/C1.mp4"]
    assert len(without_collisions(planned.specs)[0]) == 2


def test_two_clips_of_one_folder_and_one_name_need_another_template() -> None:
    planned = plan(clips("A/1.mov", "A/1.MXF"), order(to=Mirror("/p")))
    (_, refused) = without_collisions(planned.specs)
    assert "{source_ext}" in refused[0].error.message
    assert "mirror" not in refused[0].error.message


def test_a_directory_may_have_the_spec_s_name_in_it() -> None:
    planned = plan(clips("A/C1.MP4"), order(to=Directory("/p/{name}/{x}")))
    assert planned.specs[0].output_directory == "/p/cards+A+C1.MP4+proxy_h264_low/{x}"


def test_chunks_hold_so_many_clips_of_one_profile() -> None:
    found = clips("A/1.MP4", "A/2.MP4", "B/3.MP4")
    planned = plan(found, order(LOW, PRORES, to=Directory("/p/{chunk}/{name}"), chunk=2))
    assert [(spec.stem, len(spec.clips), spec.output_directory) for spec in planned.specs] == [
        ("cards+proxy_h264_low-000", 2, "/p/000/cards+proxy_h264_low-000"),
        ("cards+proxy_h264_low-001", 1, "/p/001/cards+proxy_h264_low-001"),
        ("cards+proxy_prores_proxy-000", 2, "/p/000/cards+proxy_prores_proxy-000"),
        ("cards+proxy_prores_proxy-001", 1, "/p/001/cards+proxy_prores_proxy-001"),
    ]


def test_chunks_stay_in_a_folder_where_their_outputs_do() -> None:
    found = clips("A/1.MP4", "B/2.MP4", "A/3.MP4", "4.MP4")
    planned = plan(found, order(to=Beside("Proxy"), chunk=5))
    assert [(spec.stem, [clip.relative for clip in spec.clips]) for spec in planned.specs] == [
        ("cards+A+proxy_h264_low-000", ["A/1.MP4", "A/3.MP4"]),
        ("cards+B+proxy_h264_low-000", ["B/2.MP4"]),
        ("cards+proxy_h264_low-000", ["4.MP4"]),
    ]


def test_camera_raw_goes_to_the_profiles_that_take_it() -> None:
    found = [*clips("1.mov"), *clips("2.R3D", raw=True)]
    both = plan(found, order(LOW, RAW, to=Mirror("/p"), resolve_preset="ProRes Proxy"))
    assert [(spec.clips[0].relative, json.loads(spec.data).get("resolve_preset")) for spec in both.specs] == [
        ("1.mov", None),
        ("2.R3D", "ProRes Proxy"),
    ]
    assert plan(found, order(LOW, to=Mirror("/p"))).unfit == (("/mnt/cards/2.R3D", Skip.CAMERA_RAW),)
    assert plan(found, order(RAW, to=Mirror("/p"), resolve_preset="x")).unfit == (("/mnt/cards/1.mov", Skip.NOT_RAW),)


def test_a_clip_that_nobody_looked_at_goes_to_all_profiles() -> None:
    assert len(plan(clips("1.mov", raw=None), order(LOW, RAW, to=Mirror("/p"), resolve_preset="x")).specs) == 2


@pytest.mark.parametrize("relatives", [("A/1.mov", "B/1.mov"), ("A/1.mov", "B/1.MXF"), ("A/é.mov", "B/E\u0301.mov")])
def test_two_clips_that_would_have_one_output_are_refused_both(relatives: tuple[str, str]) -> None:
    found = [*clips(*relatives), *clips("2.mov")]
    alone, refused = without_collisions(plan(found, order(to=Directory("/p"))).specs)
    assert [spec.clips[0].relative for spec in alone] == ["2.mov"]
    assert [one.error.code for one in refused] == [ErrorCode.OUTPUT_NAME_COLLISION] * 2
    assert "mirror" in refused[0].error.message
    assert not refusals(found, order(to=Mirror("/p")))


def test_two_profiles_with_one_extension_are_told_apart_by_the_template() -> None:
    (first, _) = refusals(clips("1.mov"), order(LOW, QUARTER, to=Directory("/p")))
    assert "naming template" in first.error.message
    assert not refusals(clips("1.mov"), order(LOW, QUARTER, to=Directory("/p"), naming_template="{source_name}_{resolution}"))


def test_an_output_that_is_a_clip_itself_is_refused() -> None:
    (refused,) = refusals(clips("A/1.mov", "B/1.mov", "A/2.mp4"), order(PRORES, to=Directory("/mnt/cards/A")))[:1]
    assert "a clip itself" in refused.error.message


def test_two_roots_of_one_name_are_refused() -> None:
    found = [*clips("1.mov", root="/a/CARD"), *clips("1.mov", root="/b/CARD")]
    refused = refusals(found, order(to=Beside("Proxy")))
    assert len(refused) == 2
    assert "give the folder above" in refused[0].error.message


def test_what_json_cannot_carry_is_refused_with_the_reason() -> None:
    planned = plan(clips("\udcff.mov", "2.mov"), order(to=Beside("Proxy")))
    assert [one.error.code for one in planned.refused] == [ErrorCode.SPEC_INVALID]
    assert "\\xff.mov is not UTF-8" in planned.refused[0].error.message
    assert len(planned.specs) == 1


def test_an_output_name_that_a_worker_refuses_is_refused() -> None:
    (refused,) = plan(clips("a\nb.mov"), order(to=Beside("Proxy"))).refused
    assert refused.error.code is ErrorCode.OUTPUT_NAME_INVALID


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (order("proxy_best", to=Mirror("/p")), ErrorCode.PROFILE_UNKNOWN),
        (order(LOW, to=Mirror("/p"), naming_template="{clip}"), ErrorCode.SPEC_INVALID),
        (order(RAW, to=Mirror("/p")), ErrorCode.SPEC_INVALID),
        (order(LOW, to=Mirror("/p"), resolve_preset="Proxy"), ErrorCode.SPEC_INVALID),
    ],
)
def test_an_order_that_no_spec_could_carry_out_is_refused_before_anything_is_looked_at(wanted: Order, code: ErrorCode) -> None:
    with pytest.raises(ProxxError) as caught:
        require_possible(wanted)
    assert caught.value.code is code


@pytest.mark.parametrize(
    ("destination", "fixed"),
    [
        (Beside("Proxy"), None),
        (Mirror("/p"), "/p"),
        (Directory("/p"), "/p"),
        (Directory("/p/{name}/x"), "/p"),
        (Directory("/p/q-{chunk}/{name}"), "/p"),
        (Directory("/p/{name}-{chunk}"), "/p"),
    ],
)
def test_the_folder_that_outputs_lie_below_is_known(destination: Destination, fixed: str | None) -> None:
    assert fixed_part(destination) == fixed


def test_proxies_may_not_lie_among_the_clips() -> None:
    for destination in (Mirror("/card"), Directory("/card"), Directory("/card/{name}")):
        with pytest.raises(ProxxError):
            require_apart(["/card"], destination, str)
    require_apart(["/card"], Beside("Proxy"), str)
    require_apart(["/card"], Mirror("/card/Proxy"), str)


def test_a_tree_mirrored_under_its_own_name_lies_among_its_clips() -> None:
    with pytest.raises(ProxxError, match=r"^proxies in /mnt/a itself"):
        require_apart(["/mnt/a", "/mnt/b"], Mirror("/mnt", by_root=True), str)
    require_apart(["/mnt/a", "/mnt/b"], Mirror("/proxies", by_root=True), str)
    require_apart(["/mnt/a"], Mirror("/mnt"), str)

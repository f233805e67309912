import pytest

from proxx_worker.media.decoder_names import decoder_names


@pytest.mark.parametrize(
    ("codec", "names"),
    [
        ("aac", {"aac", "aacfloat", "aac_fixed", "libaac"}),
        ("av1", {"av1", "av1float", "av1_fixed", "libav1", "libdav1d", "libaom-av1"}),
        ("msmpeg4v3", {"msmpeg4v3", "msmpeg4v3float", "msmpeg4v3_fixed", "libmsmpeg4v3", "msmpeg4"}),
    ],
)
def test_decoders_bear_their_codecs_names_or_their_own(codec: str, names: set[str]) -> None:
    assert decoder_names(codec) == names


@pytest.mark.parametrize(("codec", "name"), [("prores", "prores_aw"), ("mpeg2video", "mpegvideo"), ("msmpeg4v2", "msmpeg4")])
def test_another_s_name_is_not_taken(codec: str, name: str) -> None:
    assert name not in decoder_names(codec)

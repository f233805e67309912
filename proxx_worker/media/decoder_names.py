"""The names under which FFmpeg's decoders log: not every decoder is named after its codec."""

from collections.abc import Mapping

_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "adpcm_g722": ("g722",),
    "adpcm_g726": ("g726",),
    "adpcm_g726le": ("g726le",),
    "amr_nb": ("amrnb", "libopencore_amrnb"),
    "amr_wb": ("amrwb", "libopencore_amrwb"),
    "atrac3p": ("atrac3plus",),
    "atrac3pal": ("atrac3plusal",),
    "av1": ("libdav1d", "libaom-av1"),
    "avc": ("on2avc",),
    "avs2": ("libdavs2",),
    "avs3": ("libuavs3d",),
    "cmv": ("eacmv",),
    "cscd": ("camstudio",),
    "dts": ("dca",),
    "flv1": ("flv",),
    "h264": ("libopenh264",),
    "idcin": ("idcinvideo",),
    "iff_ilbm": ("iff",),
    "jpeg2000": ("libopenjpeg",),
    "jpegxl": ("libjxl",),
    "jpegxl_anim": ("libjxl_anim",),
    "mad": ("eamad",),
    "mp4als": ("als",),
    "msmpeg4v3": ("msmpeg4",),
    "musepack7": ("mpc7",),
    "musepack8": ("mpc8",),
    "ra_144": ("real_144",),
    "ra_288": ("real_288",),
    "roq": ("roqvideo",),
    "smackaudio": ("smackaud",),
    "smackvideo": ("smackvid",),
    "svg": ("librsvg",),
    "tgq": ("eatgq",),
    "tgv": ("eatgv",),
    "tqi": ("eatqi",),
    "tscc": ("camtasia",),
    "ulti": ("ultimotion",),
    "vixl": ("xl",),
    "vp8": ("libvpx",),
    "vp9": ("libvpx-vp9",),
    "westwood_snd1": ("ws_snd1",),
    "ws_vqa": ("vqavideo",),
}
"""What `ffmpeg -decoders` of 5.1, 7.1, 8.0 and 9.0 lists as `(codec NAME)`, without decoders in hardware, which no command here
asks for, and without the names that `decoder_names` forms itself. An integration test compares it with the FFmpeg under test.

Not in it: `mpegvideo`, a second decoder for `mpeg2video`. FFmpeg never takes it, and a demuxer has that name, too.
"""


def decoder_names(codec: str) -> frozenset[str]:
    """The names under which decoders of `codec` (in ffprobe's name) log.

    Not everything that begins with a codec's name is its decoder: `prores_aw` is an encoder.
    """
    return frozenset({codec, f"{codec}float", f"{codec}_fixed", f"lib{codec}", *_OTHER_NAMES.get(codec, ())})

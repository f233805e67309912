"""The one hash of a task: equal where settings, facts and command are, on every machine."""

import hashlib
from fractions import Fraction

from proxx_worker.contract.output_settings import Codec, Container, DnxhrLevel, Resolution, ScaleMode
from proxx_worker.planning.fingerprint import fingerprint, settings_as_json
from tests.unit.planning.sources import CLIP, settings

CANONICAL = (
    '{"arguments":["-i","file:"],'
    '"facts":{'
    '"audio":[{"bits_per_sample":null,"channels":2,"codec":"aac","duration":"1/1","index":1,"layout":"stereo","profile":"LC",'
    '"sample_format":"fltp","sample_rate":48000,"start":"0/1","time_base":"1/48000","unbroken":true}],'
    '"duration":"1/1","formats":["mov","mp4","m4a","3gp","3g2","mj2"],"notes":[],"other_streams":[],"reel":null,"resolve":null,'
    '"start":"0/1","timecode":null,'
    '"video":{"average_rate":"25/1","bit_depth":8,"clean_aperture":false,"codec":"h264","codec_tag":"avc1",'
    '"coded_height":null,"coded_width":null,'
    '"color":{"chroma_location":null,"content_light":null,"mastering_display":null,"matrix":"bt709","primaries":"bt709",'
    '"range":"tv","transfer":"bt709"},'
    '"constant_rate":true,"dolby_vision_profile":null,"duration":"1/1","field_order":"progressive","frames":25,'
    '"frames_certain":true,"has_alpha":false,"height":1080,"index":0,"mirrored":false,"pixel_format":"yuv420p",'
    '"profile":"High","rate":"25/1","rotation":0,"sample_aspect":"1/1","start":"0/1","time_base":"1/12800","width":1920}},'
    '"settings":{"codec":"h264","container":"mp4","dnxhr_level":null,"fps":null,"fps_mode":"same-as-source",'
    '"resolution":"same"}}'
)
"""What is hashed: names in alphabetical order, no spaces."""


def test_the_fingerprint_is_the_hash_of_a_text_that_can_be_written_anywhere() -> None:
    assert fingerprint(settings(), CLIP, ("-i", "file:")) == hashlib.sha256(CANONICAL.encode()).hexdigest()


def test_settings_are_shown_as_a_spec_writes_them() -> None:
    asked = settings(Codec.DNXHR, Container.MXF, Resolution(ScaleMode.FIT, 1280, 720), Fraction(30000, 1001), DnxhrLevel.LB)
    assert settings_as_json(asked) == {
        "codec": "dnxhr",
        "container": "mxf",
        "resolution": "1280x720",
        "fps_mode": "explicit",
        "fps": "30000/1001",
        "dnxhr_level": "lb",
    }

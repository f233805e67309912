from dataclasses import replace

from proxx_worker.contract.output_settings import Codec, Container
from proxx_worker.planning.damage_search import search_argv
from proxx_worker.planning.plan import plan_task
from tests.unit.planning.sources import CLIP, settings


def test_the_whole_command() -> None:
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), CLIP)
    argv = search_argv(plan, "/usr/bin/ffmpeg", "/dev/fd/0")
    at = argv.index("-threads:v")
    assert argv[0] == "/usr/bin/ffmpeg"
    assert argv[1:at] == [option for option in plan.input_options if option != "-xerror"]
    video, audio = CLIP.video.index, CLIP.audio[0].index
    assert argv[at:] == [
        "-threads:v", "2", "-i", "file:/dev/fd/0", "-map", f"0:{video}", "-map", f"0:{audio}",
        "-filter:v", r"metadata=mode=delete,metadata=mode=add:key=of:value=video,metadata=mode=print:file=pipe\\:2:direct=1",
        "-fps_mode:v", "passthrough", "-filter:a:0",
        rf"ametadata=mode=delete,ametadata=mode=add:key=of:value=audio{audio},ametadata=mode=print:file=pipe\\:2:direct=1",
        "-f", "null", "-",
    ]  # fmt: skip


def test_a_source_without_audio() -> None:
    plan = plan_task(settings(Codec.PRORES_PROXY, Container.MOV), replace(CLIP, audio=()))
    argv = search_argv(plan, "ffmpeg", "/dev/fd/0")
    assert argv.count("-map") == 1
    assert not any(word.startswith("-filter:a") for word in argv)

"""Settings: one TOML file, flags on top, unknown keys refused, nothing from the environment."""

from pathlib import Path

import pytest

from proxx_worker.settings import ConfigurationError, PathMapEntry, Settings, load_settings

SAN = PathMapEntry.model_validate({"from": "/Volumes/SAN", "to": "/mnt/san"})


def write(folder: Path, text: str) -> Path:
    path = folder / "proxx.toml"
    path.write_text(text)
    return path


def test_the_defaults() -> None:
    assert load_settings(None, {}) == Settings(
        ffmpeg=None, ffprobe=None, declared_versions={}, poll_seconds=2.0, settle_seconds=5.0, stall_seconds=300.0,
        log_format="text", source_roots=None, output_roots=None,
    )  # fmt: skip


def test_a_file_with_every_key(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        ffmpeg = "/opt/ff/ffmpeg"
        ffprobe = "/opt/ff/ffprobe"
        poll_seconds = 1
        settle_seconds = 0
        stall_seconds = 12.5
        log_format = "json"
        source_roots = ["/media"]
        output_roots = ["/proxies", "/more"]
        path_map = [{ from = "/Volumes/SAN", to = "/mnt/san" }]
        [declared_versions]
        ffmpeg = "5.1.9"
        """,
    )
    assert load_settings(path, {}) == Settings(
        ffmpeg="/opt/ff/ffmpeg", ffprobe="/opt/ff/ffprobe", declared_versions={"ffmpeg": "5.1.9"}, poll_seconds=1,
        settle_seconds=0, stall_seconds=12.5, log_format="json", source_roots=("/media",), output_roots=("/proxies", "/more"),
        path_map=(SAN,),
    )  # fmt: skip


def test_a_flag_wins_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, 'poll_seconds = 1\nsource_roots = ["/a"]\n')
    settings = load_settings(path, {"poll_seconds": 3.0, "source_roots": ["/b"], "ffmpeg": None})
    assert (settings.poll_seconds, settings.source_roots) == (3.0, ("/b",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 1", "colour: unknown key (known: ffmpeg, "),
        ("poll_seconds = 0", "poll_seconds: "),
        ("poll_seconds = inf", "poll_seconds: "),
        ("encoder_memory_bytes = 67108863", "encoder_memory_bytes: "),
        ("encoder_memory_bytes = 1125899906842625", "encoder_memory_bytes: "),
        ("encoder_memory_bytes = 9223372036854775807", "encoder_memory_bytes: "),
        ("settle_seconds = -1", "settle_seconds: "),
        ('log_format = "xml"', "log_format: "),
        ('ffmpeg = "bin/ffmpeg"', "ffmpeg: must be an absolute path"),
        ('output_roots = "/a"', "output_roots: must be a list"),
        ("declared_versions = 5", "declared_versions: "),
        ("poll_seconds = true", "poll_seconds: "),
        ('path_map = "/a=/b"', "path_map: "),
        ('path_map = [{ from = "/a" }]', "path_map.0.to: "),
        ('path_map = [{ from = "a", to = "/b" }]', "path_map.0.from: must be an absolute path"),
        ('path_map = [{ from = "/a", to = "/b", only = "x" }]', "path_map.0.only: "),
        ('path_map = [{ from = "/a", to = "/b" }, { from = "/a/", to = "/c" }]', "path_map: /a/ is mapped twice, to different"),
        ("stall_seconds = nan", "stall_seconds: must be a finite number, not nan"),
        ("stall_seconds = inf", "stall_seconds: must be a finite number, not inf"),
        ("poll_seconds = 0", "poll_seconds: must be greater than 0, not 0"),
        ("settle_seconds = 1e9", "settle_seconds: must be less than or equal to 86400, not 1000000000.0"),
        ('stall_seconds = "7"', "stall_seconds: must be a valid number, not 7"),
        ('sandbox = "no"', "sandbox: must be 'on' or 'off', not no"),
        ("source_roots = true", "source_roots: must be a list"),
        ("= broken", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(write(tmp_path, text), {})
    assert said in str(caught.value)
    assert str(tmp_path / "proxx.toml") in str(caught.value)


def test_the_target_of_a_mapping_must_be_utf_8() -> None:
    with pytest.raises(ConfigurationError, match=r"path_map\.0\.to: must be UTF-8"):
        load_settings(None, {"path_map": [{"from": "/a", "to": "/\udcff"}]})


def test_several_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(write(tmp_path, 'a = 1\nlog_format = "x"'), {})
    assert "a: unknown key" in str(caught.value)
    assert "log_format" in str(caught.value)


def test_a_bad_flag_is_named_without_a_file() -> None:
    with pytest.raises(ConfigurationError, match=r"^configuration: stall_seconds"):
        load_settings(None, {"stall_seconds": -1.0})


def test_a_byte_order_mark_is_no_setting(tmp_path: Path) -> None:
    path = tmp_path / "notepad.toml"
    path.write_bytes(b"\xef\xbb\xbfstall_seconds = 7\n")
    assert load_settings(path, {}).stall_seconds == 7


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        load_settings(tmp_path / "missing.toml", {})
    path = tmp_path / "latin.toml"
    path.write_bytes(b'ffmpeg = "/\xe9"')
    with pytest.raises(ConfigurationError, match="is not TOML"):
        load_settings(path, {})


@pytest.mark.parametrize("memory", [64 << 20, 1 << 50])
def test_the_least_and_the_most_memory(memory: int) -> None:
    assert load_settings(None, {"encoder_memory_bytes": memory}).encoder_memory_bytes == memory

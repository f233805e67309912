import json
from typing import Any

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.feeding.gathering import Move, Output, moves_of, read_manifest, read_result, write_manifest

TASK = {"output": "/farm/000/A.mov", "output_sha256": "aa"}
COMPLETED: dict[str, Any] = {"result_version": "1.0", "job_id": "j", "status": "COMPLETED", "error": None, "tasks": [TASK]}
FAILED: dict[str, Any] = {**COMPLETED, "status": "FAILED", "error": {"code": "ENCODE_FAILED", "message": "m"}}


def encoded(document: dict[str, Any], **changes: object) -> bytes:
    return json.dumps({**document, **changes}).encode()


def test_a_completed_result_tells_its_outputs() -> None:
    assert read_result(encoded(COMPLETED)).outputs == (Output("/farm/000/A.mov", "aa"),)


def test_fields_of_later_versions_do_no_harm_and_a_mapped_path_is_where_the_file_is() -> None:
    tasks = [{**TASK, "output_path": "/mnt/A.mov", "more": 1}, {**TASK, "output_path": None}]
    found = read_result(encoded(COMPLETED, result_version="1.1", tasks=tasks, worker={"sandbox": "off"}))
    assert [output.path for output in found.outputs] == ["/mnt/A.mov", "/farm/000/A.mov"]


def test_a_failed_result_tells_why() -> None:
    found = read_result(encoded(FAILED))
    assert (found.outputs, found.failure) == ((), (ErrorCode.ENCODE_FAILED, "m"))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}",
        encoded(COMPLETED, result_version="2.0"), encoded(FAILED, result_version="2.0"), encoded(COMPLETED, status="DONE"),
        encoded(COMPLETED, tasks=[{"output": None, "output_sha256": None}]), encoded(FAILED, error=None),
        encoded(FAILED, error={"code": "NO_SUCH_CODE", "message": "m"}),
    ],
)  # fmt: skip
def test_what_is_no_result_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_result(data)


def test_outputs_keep_their_names() -> None:
    outputs = [Output("/farm/000/A.mov", "aa"), Output("/farm/001/B.mov", "bb"), Output("/farm/000/A.mov", "aa")]
    assert moves_of(outputs, "/all") == (Move("/farm/000/A.mov", "/all/A.mov", "aa"), Move("/farm/001/B.mov", "/all/B.mov", "bb"))


@pytest.mark.parametrize("other", ["/farm/001/A.mov", "/farm/001/a.MOV", "/farm/001/gathered.json"])
def test_two_of_one_name_are_refused(other: str) -> None:
    with pytest.raises(ProxxError) as caught:
        moves_of([Output("/farm/000/A.mov", "aa"), Output(other, "aa")], "/all")
    assert caught.value.code is ErrorCode.OUTPUT_NAME_COLLISION


def test_the_list_is_read_as_it_was_written_in_whatever_order_it_was_gathered() -> None:
    moves = (Move("/farm/001/B.mov", "/all/B.mov", "bb"), Move("/farm/000/A.mov", "/all/A.mov", "aa"))
    data = write_manifest(moves)
    assert read_manifest(data) == moves[::-1]
    assert write_manifest([*moves[::-1], moves[0]]) == data
    assert json.loads(data)["outputs"][0] == {"from": "/farm/000/A.mov", "to": "/all/A.mov", "sha256": "aa"}


def test_a_name_is_listed_once_with_its_last_move() -> None:
    moves = (Move("/farm/0/A.mov", "/all/A.mov", "aa"), Move("/farm/1/A.mov", "/link/A.mov", "cc"))
    assert read_manifest(write_manifest(moves)) == moves[1:]


@pytest.mark.parametrize("data", [b"", b"{}", b'{"gathered_version": "1.0", "outputs": [{"from": "/a"}]}', b'{"outputs": []}'])
def test_a_list_of_somebody_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_manifest(data)


@pytest.mark.parametrize("path", ["/out/", "out/A.mov", "/out/A\0.mov", ""])
def test_an_output_whose_path_is_no_files_makes_no_result(path: str) -> None:
    tasks = [{"output": path, "output_sha256": "aa"}]
    with pytest.raises(ValueError, match="the path of an output is not a file path"):
        read_result(encoded(COMPLETED, tasks=tasks))

"""`openjd_session.py TEMPLATE FOLDER [cancel]`: run the first task as a farm's agent does, print what it is told as JSON.

Runs in an environment that has openjd-sessions and openjd-model.
"""

import json
import sys
import time
from pathlib import Path
from threading import Event
from uuid import uuid4

import yaml
from openjd.model import ParameterValue, ParameterValueType, create_job, decode_job_template, preprocess_job_parameters
from openjd.sessions import ActionState, ActionStatus, Session

ENDED = {ActionState.SUCCESS, ActionState.FAILED, ActionState.CANCELED, ActionState.TIMEOUT}


def main(template: Path, folder: Path, *, cancel: bool) -> None:
    """Run it and print every change of its state."""
    told: list[dict[str, object]] = []
    encoding, ended = Event(), Event()

    def hear(_session: str, status: ActionStatus) -> None:
        told.append(
            {
                "state": status.state.value,
                "progress": status.progress,
                "status": status.status_message,
                "fail": status.fail_message,
                "exit_code": status.exit_code,
            }
        )
        if status.progress is not None:
            encoding.set()
        if status.state in ENDED:
            ended.set()

    job_template = decode_job_template(template=yaml.safe_load(template.read_text()))
    values = {"ClipFolder": folder / "clips", "ClipList": folder / "clips.txt", "ClipCount": 1, "OutputFolder": folder / "out"}
    given = preprocess_job_parameters(
        job_template=job_template, job_parameter_values={name: str(value) for name, value in values.items()},
        job_template_dir=template.parent, current_working_dir=folder, allow_job_template_dir_walk_up=True,
    )  # fmt: skip
    step = create_job(job_template=job_template, job_parameter_values=given).steps[0]
    with Session(
        session_id=str(uuid4()), job_parameter_values=given, callback=hear, session_root_directory=folder / "sessions"
    ) as it:
        it.run_task(
            step_script=step.script, task_parameter_values={"Index": ParameterValue(type=ParameterValueType.INT, value="1")}
        )
        if cancel:
            encoding.wait(60)
            it.cancel_action()
        ended.wait(120)
        while it.state.value == "running":
            time.sleep(0.01)
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), cancel=sys.argv[3:] == ["cancel"])

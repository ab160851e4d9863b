from __future__ import annotations

import shlex
import signal
import subprocess
import sys

import boto3


def test_the_embedded_aws_runs_by_itself_until_it_is_told_to_end() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "lbcontroller.local.aws"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        printed: dict[str, str] = {}
        for line in process.stdout:
            (assignment,) = shlex.split(line.removeprefix("export "))
            name, _, value = assignment.partition("=")
            printed[name] = value
            if name == "AWS_EC2_METADATA_DISABLED":
                break
        ec2 = boto3.client(
            "ec2",
            region_name=printed["AWS_REGION"],
            endpoint_url=printed["AWS_ENDPOINT_URL"],
            aws_access_key_id=printed["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=printed["AWS_SECRET_ACCESS_KEY"],
        )
        found = ec2.describe_subnets(Filters=[{"Name": "tag-key", "Values": ["kubernetes.io/cluster/yard"]}])
        assert len(found["Subnets"]) > 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert printed["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")

"""Ask plain moto all probes and print its answers as JSON.

A process of its own, because the strict overlay cannot be taken out of a process again.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import botocore.session
from moto import mock_aws

from tests.support.strict_probes.bench import Bench
from tests.support.strict_probes.table import PROBES

REGION = "us-west-2"


def main() -> None:
    session = botocore.session.get_session()

    def client(service: str) -> Any:
        return session.create_client(
            service, region_name=REGION, aws_access_key_id="plain", aws_secret_access_key="plain"
        )

    answers = {}
    with mock_aws():
        bench = Bench(client, REGION)
        for probe in PROBES:
            try:
                answers[probe.name] = probe.ask(bench)
            except Exception as error:  # noqa: BLE001 - any exception is an answer unlike AWS's
                answers[probe.name] = f"{type(error).__name__}: {error}"
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()

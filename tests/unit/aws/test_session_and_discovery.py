from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from lbcontroller.aws.discovery import InstanceMetadata, find_region
from lbcontroller.aws.operations import OPERATIONS, AwsService, Effect
from lbcontroller.aws.session import AwsClients, open_session, service_endpoints
from lbcontroller.errors import InvalidConfig
from lbcontroller.settings import Settings


class KnownMetadata:
    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = values or {}

    def get(self, path: str) -> str | None:
        return self._values.get(path)


def settings(**flags: str) -> Settings:
    return Settings.parse({"cluster-name": "yard", **{key.replace("_", "-"): flags[key] for key in flags}})


def test_the_flag_decides_the_region() -> None:
    metadata = KnownMetadata({"placement/region": "eu-west-1"})

    assert (
        find_region(settings(aws_region="us-west-2"), {"AWS_REGION": "eu-north-1"}, metadata) == "us-west-2"
    )


def test_then_the_environment_then_the_instance() -> None:
    metadata = KnownMetadata({"placement/region": "eu-west-1"})

    assert find_region(settings(), {"AWS_REGION": "eu-north-1"}, metadata) == "eu-north-1"
    assert find_region(settings(), {}, metadata) == "eu-west-1"


def test_an_unknown_region_says_what_to_set() -> None:
    with pytest.raises(InvalidConfig, match=r"--aws-region.*set the flag or AWS_REGION"):
        find_region(settings(), {}, KnownMetadata())


def test_endpoints_are_taken_by_service_id_and_by_name() -> None:
    flag = {
        "Elastic Load Balancing v2": "http://a",
        "ec2": "http://b",
        "shield": "http://c",
        "ec2imds": "http://d",
        "WAF Regional": "http://e",
        "Global Accelerator": "http://f",
    }

    assert service_endpoints(flag) == {
        AwsService.ELBV2: "http://a",
        AwsService.EC2: "http://b",
        AwsService.SHIELD: "http://c",
        AwsService.WAF_REGIONAL: "http://e",
    }


def test_an_endpoint_of_no_service_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="--aws-api-endpoints: 'elb2'"):
        service_endpoints({"elb2": "http://a"})


def test_clients_do_not_retry_and_say_who_they_are() -> None:
    session = open_session(aws_access_key_id="a", aws_secret_access_key="b")
    clients = AwsClients(session, region="us-west-2", endpoints={AwsService.EC2: "http://localhost:1"})

    client = clients.client(AwsService.EC2)

    assert client is clients.client(AwsService.EC2)
    assert client.meta.endpoint_url == "http://localhost:1"
    assert client.meta.config.retries["total_max_attempts"] == 1
    assert client.meta.config.user_agent.startswith("lbcontroller/")


def test_every_operation_exists_in_the_sdk_with_its_paging() -> None:
    session = open_session(aws_access_key_id="a", aws_secret_access_key="b")
    clients = AwsClients(session, region="us-west-2", endpoints={})

    for operation in OPERATIONS:
        model = clients.client(operation.service).meta.service_model.operation_model(operation.name)
        if operation.paging is not None:
            assert operation.paging.request_token in model.input_shape.members
            assert operation.paging.size_parameter in model.input_shape.members
            assert operation.paging.answer_token in model.output_shape.members


def test_what_is_not_a_read_is_a_write() -> None:
    for operation in OPERATIONS:
        reads = operation.name.startswith(("Describe", "Get", "List", "Assume"))
        assert (operation.effect is Effect.READ) is reads, operation.name


def test_the_instance_tells_about_itself_with_a_token() -> None:
    with metadata_service({"/latest/meta-data/placement/region": "us-west-2"}) as url:
        metadata = InstanceMetadata((url,))

        assert metadata.get("placement/region") == "us-west-2"
        assert metadata.get("mac") is None


def test_nobody_answers_outside_of_aws() -> None:
    assert InstanceMetadata.of(settings(), {"AWS_EC2_METADATA_DISABLED": "true"}).get("mac") is None


@contextmanager
def metadata_service(values: Mapping[str, str]) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self._answer("token" if self.path == "/latest/api/token" else None)

        def do_GET(self) -> None:
            trusted = self.headers["X-aws-ec2-metadata-token"] == "token"
            self._answer(values.get(self.path) if trusted else None)

        def _answer(self, text: str | None) -> None:
            self.send_response(404 if text is None else 200)
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""Where this program runs: the region and the VPC, from flags, the environment or the instance itself."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.operations import DESCRIBE_INSTANCES, DESCRIBE_VPCS
from lbcontroller.aws.session import METADATA_ENDPOINT
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.ids import VpcId
from lbcontroller.settings import SUBJECT, Settings

METADATA_URLS: Final = ("http://169.254.169.254", "http://[fd00:ec2::254]")
"""Where an instance asks about itself (EC2 User Guide, "Access instance metadata")."""
_METADATA_SECONDS: Final = 1.0
_TOKEN_SECONDS: Final = "60"  # noqa: S105 - the life time of a token, not a token


class Metadata(Protocol):
    """What an EC2 instance says about itself."""

    def get(self, path: str) -> str | None:
        """Return the value at `path` below `meta-data`, or None when there is none or nobody answers."""


class InstanceMetadata:
    """The instance metadata service, version 2."""

    def __init__(self, urls: Sequence[str] = METADATA_URLS) -> None:
        self._urls = urls

    @classmethod
    def of(cls, settings: Settings, environ: Mapping[str, str]) -> InstanceMetadata:
        """Return the service that flags and environment name, or none at all when it is switched off."""
        if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
            return cls(())
        endpoint = settings.aws_api_endpoints.get(METADATA_ENDPOINT) or environ.get(
            "AWS_EC2_METADATA_SERVICE_ENDPOINT"
        )
        return cls((endpoint.rstrip("/"),)) if endpoint else cls()

    def get(self, path: str) -> str | None:
        """Return the value at `path`, or None when there is none or nobody answers."""
        for url in self._urls:
            try:
                token = _ask(
                    url, "PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": _TOKEN_SECONDS}
                )
                return _ask(url, "GET", f"meta-data/{path}", {"X-aws-ec2-metadata-token": token})
            except (OSError, http.client.HTTPException):
                continue
        return None


def _ask(url: str, method: str, path: str, headers: Mapping[str, str]) -> str:
    # The scheme is ours or the administrator's.
    request = urllib.request.Request(f"{url}/latest/{path}", method=method, headers=dict(headers))  # noqa: S310 - see above
    with urllib.request.urlopen(request, timeout=_METADATA_SECONDS) as answer:  # noqa: S310 - see above
        text: bytes = answer.read()
    return text.decode().strip()


def find_region(settings: Settings, environ: Mapping[str, str], metadata: Metadata) -> str:
    """Return the region: the flag's, the environment's or the instance's.

    Raises:
        InvalidConfig: when none of them tells.
    """
    region = (
        settings.aws_region
        or environ.get("AWS_DEFAULT_REGION")
        or environ.get("AWS_REGION")
        or metadata.get("placement/region")
    )
    if region:
        return region
    raise _missing("--aws-region", "the region", "set the flag or AWS_REGION")


def find_vpc(settings: Settings, environ: Mapping[str, str], metadata: Metadata, caller: AwsCaller) -> VpcId:
    """Return the VPC: the flag's, the one with the tags of the flag, or the instance's.

    Raises:
        InvalidConfig: when none of them tells, or the tags do not tell exactly one.
        Denied: when the VPC must be looked up and may not be.
        Transient: when AWS cannot answer.
    """
    if settings.aws_vpc_id:
        return VpcId(settings.aws_vpc_id)
    if settings.aws_vpc_tags:
        return _vpc_with_tags(settings.aws_vpc_tags, caller)
    if mac := metadata.get("mac"):
        vpc = metadata.get(f"network/interfaces/macs/{mac}/vpc-id")
        if vpc:
            return VpcId(vpc)
    node = environ.get("NODENAME", "")
    if node.startswith("i-"):
        return _vpc_of_instance(node, caller)
    raise _missing("--aws-vpc-id", "the VPC", "set the flag or --aws-vpc-tags")


def _vpc_with_tags(tags: Mapping[str, str], caller: AwsCaller) -> VpcId:
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in sorted(tags.items())]
    found = [vpc["VpcId"] for vpc in caller.call(DESCRIBE_VPCS, Filters=filters)["Vpcs"]]
    if len(found) == 1:
        return VpcId(found[0])
    raise InvalidConfig(
        Problem(
            subject=SUBJECT,
            field="--aws-vpc-tags",
            value=",".join(f"{key}={value}" for key, value in sorted(tags.items())),
            expected=f"expected tags that exactly one VPC has, found {', '.join(sorted(found)) or 'none'}",
            hint="or set --aws-vpc-id",
        )
    )


def _vpc_of_instance(instance: str, caller: AwsCaller) -> VpcId:
    for reservation in caller.call(DESCRIBE_INSTANCES, InstanceIds=[instance])["Reservations"]:
        for description in reservation["Instances"]:
            if description.get("VpcId"):
                return VpcId(description["VpcId"])
    raise _missing("--aws-vpc-id", "the VPC", f"instance {instance} of NODENAME is in none; set the flag")


def _missing(flag: str, what: str, hint: str) -> InvalidConfig:
    return InvalidConfig(
        Problem(
            subject=SUBJECT,
            field=flag,
            value="",
            expected=f"{what} is not given, and the instance metadata service does not tell it",
            hint=hint,
        )
    )

"""What target groups that users made are like: read once for each, because none of it ever changes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.operations import DESCRIBE_TARGET_GROUPS
from lbcontroller.errors import NotReady
from lbcontroller.model.enums import TargetIpAddressType
from lbcontroller.model.ids import Arn, VpcId
from lbcontroller.model.observed import TargetGroupFact


class TargetGroupFacts:
    """Finds target groups by ARN or name, from memory where it can. Thread-safe."""

    def __init__(self, caller: AwsCaller) -> None:
        self._caller = caller
        self._lock = threading.Lock()
        self._by_arn: dict[Arn, TargetGroupFact] = {}
        self._by_name: dict[str, TargetGroupFact] = {}

    def of_arn(self, arn: Arn) -> TargetGroupFact | None:
        """Return a target group; None when there is none of that ARN.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        with self._lock:
            known = self._by_arn.get(arn)
        return known or self._read(TargetGroupArns=[arn])

    def of_name(self, name: str) -> TargetGroupFact | None:
        """Return a target group; None when there is none of that name.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        with self._lock:
            known = self._by_name.get(name)
        return known or self._read(Names=[name])

    def forget(self, arn: Arn) -> None:
        """Read it again when it is asked for: it is gone, and its name may be another one's by now."""
        with self._lock:
            self._by_arn.pop(arn, None)
            self._by_name = {name: fact for name, fact in self._by_name.items() if fact.arn != arn}

    def _read(self, **which: Any) -> TargetGroupFact | None:
        try:
            found = self._caller.call(DESCRIBE_TARGET_GROUPS, **which)["TargetGroups"]
        except NotReady as error:
            if not is_not_found(error):
                raise
            return None
        if not found:
            return None
        fact = _decode(found[0])
        with self._lock:
            self._by_arn[fact.arn] = fact
            self._by_name[found[0]["TargetGroupName"]] = fact
        return fact


def _decode(answer: Mapping[str, Any]) -> TargetGroupFact:
    vpc_id = answer.get("VpcId")
    return TargetGroupFact(
        arn=Arn(answer["TargetGroupArn"]),
        target_type=answer.get("TargetType", "instance"),
        protocol=answer.get("Protocol", ""),
        ip_address_type=TargetIpAddressType(answer.get("IpAddressType") or TargetIpAddressType.IPV4),
        vpc_id=VpcId(vpc_id) if vpc_id else None,
    )

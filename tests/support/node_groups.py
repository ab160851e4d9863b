"""The security group of the nodes, and the rules that bindings and others have on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.support.yard import Yard

OURS = "elbv2.k8s.aws/targetGroupBinding=shared"


class NodeGroup:
    """The security group of the nodes."""

    def __init__(self, yard: Yard) -> None:
        self._ec2 = yard.cluster.aws.client("ec2")
        self.front: str = yard.cluster.world.ids["sg.custom-front"]
        self.id: str = yard.cluster.world.ids["sg.nodes"]

    def networking(self, ports: Iterable[int]) -> dict[str, Any]:
        """What opens the ports to members of the other group."""
        return {
            "ingress": [
                {
                    "from": [{"securityGroup": {"groupID": self.front}}],
                    "ports": [{"protocol": "TCP", "port": port} for port in ports],
                }
            ]
        }

    def open_by_hand(self, *ports: int) -> None:
        self._ec2.authorize_security_group_ingress(
            GroupId=self.id,
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": port,
                    "ToPort": port,
                    "IpRanges": [{"CidrIp": "192.0.2.0/24", "Description": "by hand"}],
                }
                for port in ports
            ],
        )

    def ranges(self, *, ours: bool = True) -> list[tuple[int, int]]:
        """First and last port of each rule, ours or other people's."""
        answer = self._ec2.describe_security_groups(GroupIds=[self.id])["SecurityGroups"][0]
        return sorted(
            (permission["FromPort"], permission["ToPort"])
            for permission in answer["IpPermissions"]
            for source in (*permission["IpRanges"], *permission["UserIdGroupPairs"])
            if (source.get("Description") == OURS) is ours
        )

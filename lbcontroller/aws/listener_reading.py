"""Reading the listeners of load balancers, and telling whose they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lbcontroller.aws.action_wire import with_secrets
from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.listener_wire import decode_listener, default_certificate
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import DESCRIBE_LISTENERS
from lbcontroller.errors import NotReady
from lbcontroller.model.fields import UNKNOWN, Tags
from lbcontroller.model.identity import StackId, identify
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedListener
from lbcontroller.model.references import Kind, ResourceId

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerReader:
    """Reads listeners and tells whose they are."""

    caller: AwsCaller
    mirror: Mirror
    cluster: str
    """The name in the tags of what is ours."""
    listeners_are_tagged: bool = True
    """Whether a listener without our tags is somebody else's."""

    def answers(self, load_balancer: Arn) -> Sequence[Answer]:
        """Return the listeners of a load balancer, whoever made them; none when it is gone.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        pages = self.caller.pages(DESCRIBE_LISTENERS, LoadBalancerArn=load_balancer)
        try:
            return [answer for page in pages for answer in page["Listeners"]]
        except NotReady as error:
            if is_not_found(error):
                # Deleted since it was listed; the next bulk read will miss it too.
                return []
            raise

    def decode(self, answer: Answer, stack: StackId, tags: Tags) -> ObservedListener:
        """Return a listener of a load balancer of `stack`, with what the mirror knows beyond the answer."""
        tracked = identify(self.cluster, tags)
        name = tracked.resource if tracked is not None and tracked.stack == stack else None
        if not self.listeners_are_tagged:
            name = str(answer["Port"])
        id_ = ResourceId(Kind.LISTENER, name) if name is not None else None
        observed = decode_listener(answer, id_, tags)
        before = self.mirror.find(observed.arn)
        if not isinstance(before, ObservedListener):
            return observed
        known = before.resource
        certificates = observed.resource.certificates
        if (
            certificates is UNKNOWN
            and isinstance(known.certificates, tuple)
            and known.certificates[:1] == (default_certificate(answer),)
        ):
            certificates = known.certificates
        resource = replace(
            observed.resource,
            attributes=known.attributes,
            certificates=certificates,
            default_actions=with_secrets(observed.resource.default_actions, known.default_actions),
        )
        return replace(observed, resource=resource)


def load_balancer_of(listener: Arn) -> Arn:
    """Return the load balancer of a listener; its ARN begins with that one's but for a word."""
    return Arn(listener.replace(":listener/", ":loadbalancer/", 1).rpartition("/")[0])

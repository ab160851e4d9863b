"""What webhooks ask about beside the object: the caches of this process, and AWS for a short time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from lbcontroller.build.ingress_classes import Unclear, ingress_class
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import LbControllerError
from lbcontroller.keys import ObjectName
from lbcontroller.model.fields import UNKNOWN, Attributes
from lbcontroller.model.ids import VpcId
from lbcontroller.model.observed import TargetGroupFact
from lbcontroller.telemetry.logs import event
from lbcontroller.webhooks.bindings import Fact, Sought

LOGGER: Final = logging.getLogger(__name__)
LONGEST_LOOKUP_SECONDS: Final = 3.0
"""What AWS has not answered by then is taken for unknown: somebody waits at a terminal."""
LONGEST_WAIT_FOR_CLASSES: Final = 1.0
"""A watch tells within a fraction of a second, unless it is being begun anew."""
_LOOKS_FOR_CLASSES: Final = 20
_LOOKUPS_AT_A_TIME: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Every method may be called from any thread; none asks the API server, which is waiting for us."""

    services_in: Callable[[str], tuple[Service, ...]]
    """The Services of a namespace."""
    bindings_of_service: Callable[[ObjectName], tuple[Binding, ...]]
    """The bindings that take their targets from a Service."""
    same_target_group: Callable[[str], tuple[Binding, ...]]
    """Bindings that name a target group of that name."""
    attributes: Callable[[Binding], Attributes]
    """What is known of the attributes of a binding's target group."""
    target_group: Callable[[Sought], Fact]
    """What AWS says about a target group; may wait."""
    classes: Callable[[Ingress, Ingress | None], Snapshot]
    """What decides whose an Ingress is, as it is to be and as it was; may wait."""
    own_vpc: VpcId


class ClassLookup:
    """Finds what decides whose an Ingress is.

    `kubectl apply` of a class and of an Ingress sends one after the other at once, and the watch may tell of
    the class a moment later than we are asked about the Ingress. So whatever is missing is waited for.
    """

    def __init__(
        self,
        known: Callable[[str], Snapshot],
        configured: str,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Look into `known` by namespace; `configured` is the value of the class annotation that is ours."""
        self._known = known
        self._configured = configured
        self._pause = pause

    def __call__(self, ingress: Ingress, before: Ingress | None) -> Snapshot:
        """Return every class with its parameters, and the namespace of the Ingress.

        Args:
            ingress: as it is to be stored.
            before: as it is stored, if it is: the watch has told of the class that it had already.
        """
        is_news = before is None or before.class_name != ingress.class_name
        for _ in range(_LOOKS_FOR_CLASSES if is_news else 0):
            snapshot = self._known(ingress.meta.name.namespace)
            if not isinstance(ingress_class(ingress, snapshot, self._configured), Unclear):
                return snapshot
            self._pause(LONGEST_WAIT_FOR_CLASSES / _LOOKS_FOR_CLASSES)
        return self._known(ingress.meta.name.namespace)


class TargetGroupLookup:
    """Asks AWS about target groups, for a bounded time. What is known already is answered at once."""

    def __init__(
        self, read: Callable[[Sought], TargetGroupFact | None], *, longest: float = LONGEST_LOOKUP_SECONDS
    ) -> None:
        """Ask by `read`, which raises LbControllerError, for `longest` seconds."""
        self._read = read
        self._longest = longest
        self._pool = ThreadPoolExecutor(_LOOKUPS_AT_A_TIME, thread_name_prefix="lookup")

    def __call__(self, sought: Sought) -> Fact:
        """Return what AWS says; an answer that comes too late is remembered for the next question."""
        try:
            return self._pool.submit(self._read, sought).result(self._longest)
        except (LbControllerError, TimeoutError) as error:
            event(
                LOGGER,
                logging.INFO,
                "target_group_unknown",
                arn=sought.arn,
                value=sought.name,
                error=error if isinstance(error, LbControllerError) else f"no answer in {self._longest} s",
            )
            return UNKNOWN

    def close(self) -> None:
        """Begin no further lookup."""
        self._pool.shutdown(wait=False, cancel_futures=True)

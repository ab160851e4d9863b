"""Which tests of the whole program do not run on a real API server, and why.

An entry is a folder, a file, a test function, or one of its parametrised tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REFUSES: Final = "it has the API server refuse a request that is in order"
HOLDS_BACK: Final = "it has the API server hold back what it knows"
ONE_STEP: Final = "it is about what several writes bring about that nobody sees one by one"
STEPPED: Final = "it simulates requests second by second, which nothing may happen between"
OTHER_RELEASE: Final = "it is about a release of Kubernetes that is not the one that runs"
OTHER_SERVER: Final = "it is about the embedded API server itself, or about ours in front of it"

CANNOT_RUN: Final[Mapping[str, str]] = {
    "tests/integration/aws": OTHER_SERVER,
    "tests/integration/cli": OTHER_SERVER,
    **dict.fromkeys(
        (
            f"tests/integration/kube/test_{name}.py"
            for name in (
                "client",
                "connection",
                "events",
                "informer",
                "informer_answers",
                "lease",
                "version",
                "writes",
            )
        ),
        OTHER_SERVER,
    ),
    "tests/integration/local": OTHER_SERVER,
    "tests/integration/test_old_api_server.py": OTHER_RELEASE,
    "tests/integration/test_cluster_permissions.py": REFUSES,
    "tests/integration/test_rollouts.py": STEPPED,
    **dict.fromkeys(
        (
            f"tests/integration/test_group_refusals.py::test_a_{name}"
            for name in (
                "member_that_cannot_have_the_finalizer_makes_nobody_wait",
                "member_whose_status_is_refused_is_told_and_the_others_are_published",
                "leaving_member_that_keeps_the_finalizer_is_told_and_the_others_leave",
                "member_whose_binding_is_refused_makes_nobody_wait",
            )
        ),
        REFUSES,
    ),
    "tests/integration/ingress/test_missing_services.py"
    "::test_an_ingress_that_is_seen_before_its_service_sends_to_it": HOLDS_BACK,
    "tests/integration/ingress/test_missing_services.py"
    "::test_a_service_that_may_not_be_read_is_missing_when_the_watch_says_so": REFUSES,
    "tests/integration/test_group_members.py"
    "::test_two_default_classes_concern_only_ingresses_without_a_class": ONE_STEP,
    "tests/integration/webhooks/test_pods.py"
    "::test_each_pod_of_a_deployment_gets_a_server_id_of_its_own": ONE_STEP,
    "tests/integration/test_group_secrets.py"
    "::test_a_secret_that_may_not_be_read_holds_only_its_own_ingress": (
        f"{REFUSES}; tests/apiserver/test_permissions.py has the same by a missing permission"
    ),
}


def why_not(node_id: str) -> str | None:
    """Return why a test does not run on a real API server; None: it does."""
    return next((why for entry, why in CANNOT_RUN.items() if _is_of(node_id, entry)), None)


def _is_of(node_id: str, entry: str) -> bool:
    return node_id.startswith((f"{entry}/", f"{entry}::", f"{entry}[")) or node_id == entry

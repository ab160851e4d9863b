"""Laws of the rules of Ingresses: their order, which are left out, and which are told to be unreachable."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from lbcontroller.build.ingress_rules import MemberRule, in_order
from lbcontroller.build.path_patterns import path_condition, rule_conditions
from lbcontroller.build.rule_cover import covers, pattern_covers
from lbcontroller.build.rule_findings import unreachable_rules
from lbcontroller.build.rule_optimizer import without_needless
from lbcontroller.cluster.ingress import IngressPath, PathType, ServiceBackend
from lbcontroller.config.listener import ActionConfig, RuleConfig
from lbcontroller.keys import ObjectName
from lbcontroller.model.actions import FixedResponseAction, RedirectAction
from lbcontroller.model.enums import Protocol
from lbcontroller.model.rule_conditions import Condition
from tests.support.requests import Request, first_match, meets

HOSTS = ("", "a.example.com", "b.example.com", "*.example.com")
PATHS = ("/", "/a", "/a/", "/a/b", "/ab", "/b")
REQUESTS = st.builds(
    Request,
    host=st.sampled_from(("a.example.com", "b.example.com", "c.example.com", "other.example.org")),
    path=st.sampled_from(("/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "/abc", "/b", "/z")),
)
SUBJECT = "Ingress shop/site"
BACKEND = ServiceBackend(service="web", port=80)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One host and path as a manifest has it."""

    host: str
    path: IngressPath

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of its rule."""
        path = path_condition(self.path, regular=False, subject=SUBJECT, field="path")
        return rule_conditions(self.host, path, (), subject=SUBJECT, field="conditions")


PATH_ENTRIES = st.builds(
    IngressPath, path=st.sampled_from(PATHS), type=st.sampled_from(PathType), backend=st.just(BACKEND)
)
ASKED = st.builds(Asked, host=st.sampled_from(HOSTS), path=PATH_ENTRIES)
REDIRECTS = st.builds(
    RedirectAction,
    status=st.just("HTTP_301"),
    protocol=st.sampled_from((None, "HTTP", "HTTPS", "#{protocol}")),
    host=st.sampled_from((None, "#{host}", "a.example.com", "b.example.com")),
    port=st.sampled_from((None, "#{port}", "80", "443")),
    path=st.sampled_from((None, "/#{path}", "/a", "/new")),
    query=st.sampled_from((None, "#{query}", "moved=1")),
)
ACTIONS: st.SearchStrategy[ActionConfig] = st.one_of(REDIRECTS, st.just(FixedResponseAction(status="200")))


def a_rule(asked: Asked, action: ActionConfig, place: int = 0) -> MemberRule:
    rule = RuleConfig(conditions=asked.conditions, actions=(action,), transforms=(), tags={})
    return MemberRule(rule=rule, member=ObjectName("shop", "site"), where=f"spec.rules[{place}]")


RULES = st.lists(st.builds(a_rule, ASKED, ACTIONS), max_size=8)


@given(paths=st.lists(PATH_ENTRIES, max_size=8))
def test_paths_are_tried_in_the_order_of_the_specification(paths: list[IngressPath]) -> None:
    indexed = list(enumerate(paths))
    exact = [item for item in indexed if item[1].type is PathType.EXACT]
    prefixes = [item for item in indexed if item[1].type is PathType.PREFIX]
    others = [item for item in indexed if item[1].type is PathType.IMPLEMENTATION_SPECIFIC]
    longest_first = sorted(prefixes, key=lambda item: len(item[1].path), reverse=True)

    assert list(in_order(paths)) == [*exact, *longest_first, *others]


@given(asked=ASKED, request=REQUESTS)
def test_a_path_is_met_by_what_kubernetes_says(asked: Asked, request: Request) -> None:
    wanted = asked.path.path
    match asked.path.type:
        case PathType.PREFIX:
            prefix = wanted.rstrip("/")
            same_path = request.path == prefix or request.path.startswith(f"{prefix}/")
        case _:
            same_path = request.path == wanted
    same_host = asked.host in {"", request.host} or (
        asked.host.startswith("*") and request.host.endswith(asked.host[1:])
    )

    assert meets(asked.conditions, request) == (same_host and same_path)


@given(rules=RULES, request=REQUESTS)
def test_no_request_is_served_by_another_rule_when_needless_ones_are_left_out(
    rules: list[MemberRule], request: Request
) -> None:
    """But for loops: a client that would be sent in a circle is served by what comes after."""
    needed = without_needless(rules, port=80, protocol=Protocol.HTTP)
    loops = [rule for rule in rules if not without_needless([rule], port=80, protocol=Protocol.HTTP)]
    straight = [rule for rule in rules if rule not in loops]

    before = first_match([rule.rule.conditions for rule in straight], request)
    after = first_match([rule.rule.conditions for rule in needed], request)

    assert (None if before is None else straight[before]) == (None if after is None else needed[after])


@given(wide=ASKED, narrow=ASKED, request=REQUESTS)
def test_what_is_covered_is_met_only_with_what_covers_it(
    wide: Asked, narrow: Asked, request: Request
) -> None:
    if covers(wide.conditions, narrow.conditions) and meets(narrow.conditions, request):
        assert meets(wide.conditions, request)


@given(wide=st.text("ab*?", max_size=5), narrow=st.text("ab*?", max_size=5), text=st.text("ab", max_size=6))
def test_a_pattern_covers_only_what_it_fits(wide: str, narrow: str, text: str) -> None:
    wide_rule = rule_conditions(wide or "x", None, (), subject=SUBJECT, field="conditions")
    narrow_rule = rule_conditions(narrow or "x", None, (), subject=SUBJECT, field="conditions")
    request = Request(host=text, path="/")
    if pattern_covers(wide or "x", narrow or "x") and meets(narrow_rule, request):
        assert meets(wide_rule, request)


@given(rules=RULES, request=REQUESTS)
def test_no_request_reaches_what_is_told_to_be_unreachable(rules: list[MemberRule], request: Request) -> None:
    placed = [
        MemberRule(rule=item.rule, member=item.member, where=f"spec.rules[{place}]")
        for place, item in enumerate(rules)
    ]
    told = {finding.message.split(" ", 1)[0] for finding in unreachable_rules(placed, 80)}

    served = first_match([item.rule.conditions for item in placed], request)

    assert served is None or placed[served].where not in told

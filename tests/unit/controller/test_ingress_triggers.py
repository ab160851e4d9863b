"""What wakes groups of Ingresses, and when. That nothing is missed is a law of tests/properties."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from lbcontroller.build.ingress_services import services_named
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams
from lbcontroller.cluster.service import PublishedAddress, Service
from lbcontroller.controller import ingress_triggers, triggers
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.triggers import TOGETHER_SECONDS, Trigger
from lbcontroller.keys import ObjectName, StackKey, StackKind
from tests.support.cluster_objects import a_binding, a_service
from tests.support.ingress_objects import a_class, a_namespace, a_path, a_secret, an_ingress, class_params

IN_SITES = {"group.name": "sites"}
OWN = StackKey(StackKind.INGRESS, ObjectName("shop", "site"))
SITES = StackKey(StackKind.INGRESS, ObjectName("", "sites"))
OTHER = StackKey(StackKind.INGRESS, ObjectName("", "other"))


def a_cache(*views: Ingress | IngressClass | IngressClassParams | Service) -> ClusterCache:
    cache = ClusterCache()
    for view in (a_service(), *views):
        match view:
            case Ingress():
                cache.ingresses.put_ingress(view.meta.name, view)
            case IngressClass():
                cache.ingresses.put_class(view.meta.name.name, view)
            case IngressClassParams():
                cache.ingresses.put_params(view.meta.name.name, view)
            case Service():
                cache.put_service(view.meta.name, view)
    return cache


def woken(found: Iterable[Trigger]) -> dict[object, float]:
    """Return after how many seconds each group is worked on."""
    return {trigger.key: trigger.delay for trigger in found}


class TestIngress:
    def test_a_new_one_wakes_the_group_it_names_and_its_own(self) -> None:
        found = ingress_triggers.of_ingress(a_cache(), None, an_ingress(annotations=IN_SITES))
        assert woken(found) == {SITES: 0.0, OWN: 0.0}

    def test_one_that_moves_wakes_both_groups(self) -> None:
        before = an_ingress(annotations={"group.name": "other"})
        found = ingress_triggers.of_ingress(a_cache(), before, an_ingress(annotations=IN_SITES))
        assert woken(found) == {SITES: 0.0, OTHER: 0.0, OWN: 0.0}

    def test_one_wakes_the_group_of_its_class(self) -> None:
        cache = a_cache(a_class(params="params"), class_params(group={"name": "sites"}))
        assert woken(ingress_triggers.of_ingress(cache, None, an_ingress())) == {SITES: 0.0, OWN: 0.0}

    def test_a_finalizer_names_a_group_too(self) -> None:
        ingress = an_ingress(finalizers=["group.ingress.k8s.aws/other"])
        assert woken(ingress_triggers.of_ingress(a_cache(), None, ingress)) == {OTHER: 0.0, OWN: 0.0}

    @pytest.mark.parametrize("after", [None, an_ingress(deleting=True)], ids=["gone", "being deleted"])
    def test_a_deletion_waits_for_what_is_deleted_with_it(self, after: Ingress | None) -> None:
        found = ingress_triggers.of_ingress(a_cache(), an_ingress(), after)
        assert woken(found) == {OWN: TOGETHER_SECONDS}

    def test_a_new_one_waits_for_services_that_are_about_to_follow(self) -> None:
        new = an_ingress(paths=[a_path("later")])
        assert woken(ingress_triggers.of_ingress(a_cache(), None, new)) == {OWN: TOGETHER_SECONDS}
        changed = an_ingress(paths=[a_path("later"), a_path()])
        assert woken(ingress_triggers.of_ingress(a_cache(), new, changed)) == {OWN: 0.0}

    def test_a_new_one_does_not_wait_for_an_action(self) -> None:
        new = an_ingress(paths=[a_path("redirect", port="use-annotation")])
        assert woken(ingress_triggers.of_ingress(a_cache(), None, new)) == {OWN: 0.0}

    @pytest.mark.parametrize("key", ["ingress.k8s.aws/problems", "ingress.k8s.aws/deletion-blocked"])
    def test_what_we_write_wakes_nobody(self, key: str) -> None:
        address = PublishedAddress(hostname="lb.example.com", ip="", ip_mode="", ports=((80, "TCP"),))
        after = replace(an_ingress(annotations={key: "text"}), published=(address,))
        assert woken(ingress_triggers.of_ingress(a_cache(), an_ingress(), after)) == {}

    @pytest.mark.parametrize(
        "after",
        [
            an_ingress(annotations={"scheme": "internal"}),
            an_ingress(paths=[a_path(path="/a")]),
            an_ingress(defaultBackend={"service": {"name": "web", "port": {"number": 80}}}),
            an_ingress(tls=[{"hosts": ["www.example.com"]}]),
            an_ingress(ingressClassName="other"),
            an_ingress(finalizers=["ingress.k8s.aws/resources"]),
        ],
    )
    def test_any_other_change_wakes_its_group(self, after: Ingress) -> None:
        assert OWN in woken(ingress_triggers.of_ingress(a_cache(), an_ingress(), after))


class TestWhatDecidesAboutIngresses:
    def test_a_class_wakes_the_ingresses_that_name_it(self) -> None:
        cache = a_cache(an_ingress(), an_ingress("other", ingressClassName="other"))
        assert woken(ingress_triggers.of_ingress_class(cache, None, a_class())) == {OWN: 0.0}

    @pytest.mark.parametrize("default", [True, False])
    def test_a_class_that_becomes_the_default_or_stops_to_be_it_wakes_those_without(
        self, *, default: bool
    ) -> None:
        cache = a_cache(an_ingress(ingressClassName=None), an_ingress("named", ingressClassName="other"))
        before, after = a_class(default=not default), a_class(default=default)
        assert woken(ingress_triggers.of_ingress_class(cache, before, after)) == {OWN: 0.0}

    def test_a_class_that_changes_in_nothing_that_counts_wakes_nobody(self) -> None:
        before = a_class()
        after = replace(before, meta=replace(before.meta, annotations={"example.com/a": "b"}))
        assert woken(ingress_triggers.of_ingress_class(a_cache(an_ingress()), before, after)) == {}

    def test_parameters_wake_the_ingresses_of_their_classes_and_the_group_they_left(self) -> None:
        before, after = class_params(group={"name": "other"}), class_params(group={"name": "sites"})
        cache = a_cache(a_class(params="params"), after, an_ingress(), an_ingress("b", ingressClassName="x"))
        found = ingress_triggers.of_class_params(cache, before, after)
        assert woken(found) == {SITES: 0.0, OTHER: 0.0, OWN: 0.0}
        assert woken(ingress_triggers.of_class_params(cache, after, after)) == {}

    def test_labels_of_a_namespace_wake_its_ingresses(self) -> None:
        cache = a_cache(an_ingress(), an_ingress("b", namespace="other"))
        found = ingress_triggers.of_namespace(cache, a_namespace(team="a"), a_namespace(team="b"))
        assert woken(found) == {OWN: 0.0}

    def test_a_secret_wakes_the_groups_that_need_it(self) -> None:
        cache, login = a_cache(), ObjectName("shop", "login")
        assert cache.ingresses.need_secrets(SITES, [login]) == {login}
        assert woken(ingress_triggers.of_secret(cache, login)) == {SITES: 0.0}
        assert woken(ingress_triggers.of_secret(cache, ObjectName("shop", "other"))) == {}


class TestOtherObjects:
    def test_a_service_wakes_the_groups_of_the_ingresses_that_send_to_it(self) -> None:
        cache = a_cache(an_ingress(annotations=IN_SITES), an_ingress("b", paths=[a_path("api")]))
        found = woken(triggers.of_service(cache, None, a_service()))
        assert {key: delay for key, delay in found.items() if key in (SITES, OTHER, OWN)} == {
            SITES: 0.0,
            OWN: 0.0,
        }

    def test_a_deleted_service_waits_for_the_deletion_of_its_ingress(self) -> None:
        found = woken(triggers.of_service(a_cache(an_ingress()), a_service(), None))
        assert found == {StackKey(StackKind.SERVICE, ObjectName("shop", "web")): 0.0, OWN: TOGETHER_SECONDS}

    @pytest.mark.parametrize(
        ("labels", "key"),
        [
            ({"ingress.k8s.aws/stack": "sites"}, SITES),
            ({"ingress.k8s.aws/stack-namespace": "shop", "ingress.k8s.aws/stack-name": "site"}, OWN),
        ],
    )
    def test_a_deleted_binding_wakes_the_group_that_made_it(
        self, labels: dict[str, str], key: StackKey
    ) -> None:
        binding = a_binding()
        binding = replace(binding, meta=replace(binding.meta, labels=labels))
        assert key in woken(triggers.of_binding(a_cache(), binding, None))


class TestServicesNamed:
    def test_are_those_of_backends_and_of_actions(self) -> None:
        ingress = an_ingress(
            paths=[a_path("web"), {**a_path("x"), "backend": {"resource": {"kind": "Bucket", "name": "b"}}}],
            defaultBackend={"service": {"name": "fallback", "port": {"name": "http"}}},
            annotations={
                "actions.canary": '{"forwardConfig":{"targetGroups":[{"ServiceName":"c\\u0061nary"}]}}',
                "actions.bad": '{"serviceName":"lost"',
                "conditions.web": '[{"serviceName":"none"}]',
            },
        )
        assert services_named(ingress) == {"web", "fallback", "canary"}

    def test_are_names_that_a_service_can_have_and_no_other_text(self) -> None:
        ingress = an_ingress(
            paths=[a_path("split", port="use-annotation")],
            annotations={
                "actions.split": '{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"web"},'
                '{"serviceName":"../secrets"},{"serviceName":""},{"serviceName":7},{"targetGroupName":"api"}]}}',
                "actions.say": '{"type":"fixed-response","fixedResponseConfig":{"messageBody":"hello"}}',
            },
        )
        assert services_named(ingress) == {"web"}

    def test_are_waited_for_where_only_an_action_names_them(self) -> None:
        new = an_ingress(
            paths=[a_path("go", port="use-annotation")],
            annotations={
                "actions.go": '{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"x"}]}}'
            },
        )
        assert woken(ingress_triggers.of_ingress(a_cache(), None, new)) == {OWN: TOGETHER_SECONDS}

    def test_survive_any_depth(self) -> None:
        ingress = an_ingress(annotations={"actions.deep": "[" * 100_000})
        assert services_named(ingress) == {"web"}


class TestSnapshot:
    def test_has_the_secrets_that_the_group_needs_and_that_were_read(self) -> None:
        cache = a_cache().ingresses
        login, gone, unread = (ObjectName("shop", name) for name in ("login", "gone", "unread"))
        cache.need_secrets(SITES, [login, gone, unread])
        for name, secret in ((login, a_secret()), (gone, None), (ObjectName("shop", "other"), a_secret())):
            cache.put_secret(name, secret)

        assert cache.snapshot(SITES).secrets == {login: a_secret(), gone: None}
        assert cache.snapshot(OTHER).secrets == {}

    def test_knows_no_secret_that_no_group_needs_any_more(self) -> None:
        cache, login = a_cache().ingresses, ObjectName("shop", "login")
        cache.need_secrets(SITES, [login])
        assert cache.need_secrets(OTHER, [login]) == {login}
        assert cache.need_secrets(SITES, []) == {login}
        assert cache.need_secrets(OTHER, []) == frozenset()

    def test_has_the_services_of_every_namespace_with_a_member_and_its_own_bindings(self) -> None:
        labels = {"ingress.k8s.aws/stack": "sites"}
        mine, theirs = a_binding(), a_binding(targetGroupARN="arn:other")
        mine = replace(mine, meta=replace(mine.meta, labels=labels, name=ObjectName("b", "mine")))
        cache = a_cache(
            an_ingress(namespace="a", annotations=IN_SITES),
            an_ingress(namespace="b", annotations=IN_SITES),
            *(a_service(namespace=place) for place in ("a", "b", "c")),
        )
        cache.put_binding(mine.meta.name, mine)
        cache.put_binding(theirs.meta.name, theirs)
        snapshot = cache.stack_snapshot(SITES)

        assert set(snapshot.services) == {ObjectName("a", "web"), ObjectName("b", "web")}
        assert set(snapshot.bindings) == {mine.meta.name}

    def test_forgets_what_is_gone(self) -> None:
        cache = a_cache(an_ingress(annotations=IN_SITES), a_class(params="params"), class_params())
        cache.ingresses.put_ingress(OWN.name, None)

        assert cache.ingresses.groups() == frozenset()
        assert cache.ingresses.of_service(ObjectName("shop", "web")) == ()
        assert cache.ingresses.of_params("params") == ()
        assert cache.ingresses.in_namespace("shop") == ()
        assert cache.stack_snapshot(SITES).ingresses == {}

    def test_every_stack_is_listed(self) -> None:
        cache = a_cache(an_ingress(annotations=IN_SITES))
        assert cache.stacks() == {OWN, SITES, StackKey(StackKind.SERVICE, ObjectName("shop", "web"))}

"""Laws of the cache and the triggers of groups: no change of what a group is built from goes unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from lbcontroller.build.ingress_groups import ingress_group
from lbcontroller.build.ingress_services import services_named
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams, Namespace
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.controller import ingress_triggers, triggers
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.triggers import Trigger
from lbcontroller.keys import ObjectName, StackKey, StackKind
from lbcontroller.settings import Settings
from tests.support.cluster_objects import a_service
from tests.support.ingress_objects import a_class, a_namespace, a_path, an_ingress, class_params
from tests.support.laws import law

SETTINGS = (Settings(cluster_name="demo"), Settings(cluster_name="demo", ingress_class=""))
PLACES, NAMES, GROUPS = ("here", "there"), ("a", "b"), ("g", "h")
CLASSES, PARAMS = ("alb", "other"), ("p", "q")
KEYS = [
    *(StackKey(StackKind.INGRESS, ObjectName("", name)) for name in GROUPS),
    *(StackKey(StackKind.INGRESS, ObjectName(place, name)) for place in PLACES for name in NAMES),
]
View = Ingress | IngressClass | IngressClassParams | Namespace | Service


@dataclass
class Cluster:
    """What there is, once plainly and once as the controller keeps it."""

    views: dict[tuple[type[View], ObjectName], View] = field(default_factory=dict)
    cache: ClusterCache = field(default_factory=ClusterCache)

    def change(self, kind: type[View], name: ObjectName, view: View | None) -> set[StackKey]:
        """Put an object, or take it away; return the groups that are woken."""
        before = self.views.pop((kind, name), None)
        if view is not None:
            self.views[kind, name] = view
        keys = [trigger.key for trigger in self._take(kind, name, before, view)]
        return {key for key in keys if isinstance(key, StackKey)}

    def _take(self, kind: type[View], name: ObjectName, before: Any, after: Any) -> Iterator[Trigger]:
        cache = self.cache
        if kind is Ingress:
            cache.ingresses.put_ingress(name, after)
            yield from ingress_triggers.of_ingress(cache, before, after)
        elif kind is IngressClass:
            cache.ingresses.put_class(name.name, after)
            yield from ingress_triggers.of_ingress_class(cache, before, after)
        elif kind is IngressClassParams:
            cache.ingresses.put_params(name.name, after)
            yield from ingress_triggers.of_class_params(cache, before, after)
        elif kind is Namespace:
            cache.ingresses.put_namespace(name.name, after)
            yield from ingress_triggers.of_namespace(cache, before, after)
        else:
            cache.put_service(name, after)
            yield from triggers.of_service(cache, before, after)

    def everything(self) -> Snapshot:
        def of(kind: type[View]) -> dict[ObjectName, Any]:
            return {name: view for (found, name), view in self.views.items() if found is kind}

        return Snapshot(
            ingresses=of(Ingress),
            ingress_classes={name.name: view for name, view in of(IngressClass).items()},
            class_params={name.name: view for name, view in of(IngressClassParams).items()},
            namespaces={name.name: view for name, view in of(Namespace).items()},
            services=of(Service),
        )


def built_from(key: StackKey, snapshot: Snapshot, flags: Settings) -> object:
    """Return all that the build of a group may depend on."""
    group = ingress_group(key, snapshot, flags)
    services = {
        ObjectName(member.name.namespace, name)
        for member in group.members
        for name in services_named(member.ingress)
    }
    return group, {name: view for name, view in snapshot.services.items() if name in services}


T = TypeVar("T")


def mostly(*usual: T, odd: T) -> st.SearchStrategy[T]:
    """One of `usual`, each as often as it stands there, and now and then what is odd."""
    return st.sampled_from((*usual, *usual, *usual, odd))


@st.composite
def ingresses(draw: st.DrawFn, name: ObjectName) -> Ingress:
    action = '{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"b"}]}}'
    annotated = {
        "group.name": draw(mostly("", "", *GROUPS, odd="BAD")),
        "group.order": draw(mostly("", "", "", "1", odd="x")),
        "actions.go": draw(st.sampled_from(("", action))),
        "kubernetes.io/ingress.class": draw(mostly("", "", "", odd=draw(st.sampled_from(("alb", "nginx"))))),
    }
    finalizers = ("", "ingress.k8s.aws/resources", "group.ingress.k8s.aws/g")
    return an_ingress(
        name.name,
        namespace=name.namespace,
        annotations={key: text for key, text in annotated.items() if text},
        finalizers=list(filter(None, [draw(st.sampled_from(finalizers))])),
        deleting=draw(mostly("", odd="yes")) == "yes",
        ingressClassName=draw(mostly("alb", "alb", None, None, "other", odd="gone")),
        paths=[a_path(draw(st.sampled_from(NAMES)))],
    )


@st.composite
def classes(draw: st.DrawFn, name: ObjectName) -> IngressClass:
    return a_class(
        name.name,
        controller=draw(mostly("ingress.k8s.aws/alb", odd="other")),
        params=draw(mostly(*PARAMS, odd=draw(st.sampled_from((None, "gone"))))),
        default=draw(st.booleans()) if name.name == "alb" else draw(mostly("", odd="yes")) == "yes",
    )


@st.composite
def parameters(draw: st.DrawFn, name: ObjectName) -> IngressClassParams:
    spec: dict[str, Any] = {}
    if group := draw(mostly("", *GROUPS, odd="BAD")):
        spec["group"] = {"name": group}
    if team := draw(mostly("", "red", odd="blue")):
        spec["namespaceSelector"] = {"matchLabels": {"team": team}}
    return class_params(name.name, **spec)


def namespaces(name: ObjectName) -> st.SearchStrategy[Namespace]:
    return st.builds(a_namespace, st.just(name.name), team=mostly("red", odd="blue"))


def services(name: ObjectName) -> st.SearchStrategy[Service]:
    types = st.sampled_from(("NodePort", "ClusterIP"))
    return st.builds(a_service, st.just(name.name), namespace=st.just(name.namespace), type=types)


def slightly_changed(view: View | None) -> list[st.SearchStrategy[View]]:
    """Return the same object with one difference."""
    match view:
        case Ingress(meta=meta):
            finalizers = st.sampled_from((frozenset[str](), frozenset({"group.ingress.k8s.aws/g"})))
            return [finalizers.map(lambda found: replace(view, meta=replace(meta, finalizers=found)))]
        case IngressClass(meta=meta):
            marks = st.sampled_from(({}, {"ingressclass.kubernetes.io/is-default-class": "true"}))
            return [marks.map(lambda found: replace(view, meta=replace(meta, annotations=found)))]
        case IngressClassParams():
            groups = st.sampled_from(({}, *({"group": {"name": name}} for name in GROUPS)))
            return [groups.map(lambda found: replace(view, spec=found))]
        case _:
            return []


KINDS: Mapping[type[View], Callable[[ObjectName], st.SearchStrategy[View]]] = {
    Ingress: ingresses,
    IngressClass: classes,
    IngressClassParams: parameters,
    Namespace: namespaces,
    Service: services,
}
PLACES_OF: Mapping[type[View], Sequence[ObjectName]] = {
    Ingress: [ObjectName(place, name) for place in PLACES for name in NAMES],
    IngressClass: [ObjectName("", name) for name in CLASSES],
    IngressClassParams: [ObjectName("", name) for name in PARAMS],
    Namespace: [ObjectName("", name) for name in PLACES],
    Service: [ObjectName(place, name) for place in PLACES for name in NAMES],
}
Change = tuple[type[View], ObjectName, View | None]


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    cluster = Cluster()
    for kind, names in PLACES_OF.items():
        for name in names:
            if draw(mostly("there", odd="")):
                cluster.change(kind, name, draw(KINDS[kind](name)))
    return cluster


@st.composite
def changes(draw: st.DrawFn, cluster: Cluster) -> Change:
    kind = draw(st.sampled_from(list(KINDS)))
    name = draw(st.sampled_from(PLACES_OF[kind]))
    slightly = slightly_changed(cluster.views.get((kind, name)))
    return kind, name, draw(st.one_of(KINDS[kind](name), st.none(), *slightly, *slightly))


@law(500)
@given(data=st.data(), cluster=clusters(), flags=st.sampled_from(SETTINGS))
def test_whatever_a_group_is_built_from_wakes_it(
    data: st.DataObject, cluster: Cluster, flags: Settings
) -> None:
    before = cluster.everything()
    woken = cluster.change(*data.draw(changes(cluster)))
    after = cluster.everything()

    for key in KEYS:
        if built_from(key, before, flags) != built_from(key, after, flags):
            assert key in woken
        kept = cluster.cache.stack_snapshot(key)
        assert built_from(key, kept, flags) == built_from(key, after, flags)

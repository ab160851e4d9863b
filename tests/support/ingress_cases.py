"""Golden cases of Ingresses: a folder with manifests and facts, and what is built of them.

    case.yaml       sentence: what the case shows; covers: suffixes of annotations it shows; params: fields of
                    IngressClassParams it shows; flags: settings
    cluster.yaml    manifests; all Ingresses must be of one group
    before.yaml     optional: the manifests of an earlier time, whose stack exists in AWS
    facts.yaml      optional: what AWS knows beside `tests.support.inventories`
    stack.json      the desired resources
    findings.json   what the owners are told; absent when there is nothing to tell
    problems.json   what each owner must mend, by Ingress; without a stack.json nothing is made

Manifests are completed as an API server would: namespace `shop`, a UID made of the name, the class `alb`, and
for Services those of `tests.support.cases`, but of type NodePort.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from lbcontroller.build.ingress import build_ingress_stack
from lbcontroller.build.ingress_groups import (
    IngressGroup,
    Ours,
    classify,
    groups_of_finalizers,
    ingress_group,
)
from lbcontroller.build.ingress_lookups import lookups
from lbcontroller.build.result import BuildResult
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams, Namespace
from lbcontroller.cluster.secret import Secret
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig
from lbcontroller.keys import StackKey
from lbcontroller.model.dns import HostedZone, ValidationRecord
from lbcontroller.model.identity import requested_certificate_resource
from lbcontroller.model.ids import Arn
from lbcontroller.model.inventory import Inventory, NamedFacts
from lbcontroller.model.observed import CertificateStatus, ObservedRequestedCertificate
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import RequestedCertificate
from lbcontroller.model.stack_json import listed, stack_json
from lbcontroller.settings import Settings
from tests.support.cases import completed_service, inventory_with
from tests.support.existing_stacks import existing_of
from tests.support.inventories import CLUSTER, certificate_arn

GROUP_VERSION = "elbv2.k8s.aws"
OUTPUTS = ("stack.json", "findings.json", "problems.json")
CREATED = datetime(2026, 11, 21, tzinfo=UTC).isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressCase:
    """One folder, read."""

    folder: Path
    sentence: str
    covers: frozenset[str]
    params: frozenset[str]
    snapshot: Snapshot
    before: Snapshot | None
    inventory: Inventory
    settings: Settings

    @property
    def golden(self) -> Mapping[str, str]:
        """The expected files by name."""
        return {
            path.name: path.read_text("utf-8") for name in OUTPUTS if (path := self.folder / name).exists()
        }


def read_ingress_case(folder: Path) -> IngressCase:
    """Read the inputs of a case."""
    head = yaml.safe_load((folder / "case.yaml").read_text("utf-8"))
    facts = folder / "facts.yaml"
    before = folder / "before.yaml"
    return IngressCase(
        folder=folder,
        sentence=head["sentence"],
        covers=frozenset(head.get("covers", ())),
        params=frozenset(head.get("params", ())),
        snapshot=read_snapshot(folder / "cluster.yaml"),
        before=read_snapshot(before) if before.exists() else None,
        inventory=_inventory(yaml.safe_load(facts.read_text("utf-8")) if facts.exists() else {}),
        settings=Settings.parse({"cluster-name": CLUSTER} | head.get("flags", {})),
    )


def build_ingress_case(case: IngressCase) -> Mapping[str, Any]:
    """Return the data of the files that the present code makes of a case."""
    inventory = case.inventory
    if case.before is not None:
        earlier = build_group(case.before, inventory, case.settings)
        existing = existing_of(earlier.stack)
        inventory = replace(inventory, existing=existing.main, existing_frontend=existing.frontend)
    try:
        built = build_group(case.snapshot, inventory, case.settings)
    except InvalidConfig as error:
        by_subject: dict[str, list[str]] = {}
        for problem in error.problems:
            by_subject.setdefault(problem.subject, []).append(str(problem))
        return {"problems.json": by_subject}
    outputs: dict[str, Any] = {"stack.json": stack_json(built.stack)}
    if built.stack.retained:
        outputs["stack.json"] = {**outputs["stack.json"], "retained": sorted(map(str, built.stack.retained))}
    if built.findings:
        outputs["findings.json"] = listed(built.findings)
    if built.member_problems:
        outputs["problems.json"] = {
            f"Ingress {name}": [str(problem) for problem in problems]
            for name, problems in sorted(built.member_problems.items())
        }
    return outputs


def build_group(snapshot: Snapshot, inventory: Inventory, settings: Settings) -> BuildResult:
    """Return what the one group of a snapshot wants."""
    group = the_group(snapshot, settings)
    lookups(group, settings)
    return build_ingress_stack(group, snapshot, inventory, settings)


def the_group(snapshot: Snapshot, settings: Settings) -> IngressGroup:
    """Return the only group that Ingresses of a snapshot ask for, or the one whose finalizer they carry."""
    keys: set[StackKey] = set()
    for ingress in snapshot.ingresses.values():
        match classify(ingress, snapshot, settings):
            case Ours(group=key):
                keys.add(key)
            case _:
                keys |= groups_of_finalizers(ingress)
    (key,) = keys
    return ingress_group(key, snapshot, settings)


def read_snapshot(path: Path) -> Snapshot:
    """Read manifests."""
    return snapshot_of(list(yaml.safe_load_all(path.read_text("utf-8"))))


def snapshot_of(manifests: Sequence[Mapping[str, Any]]) -> Snapshot:
    """Return the views of manifests, with the class `alb` and the namespace `shop` beside them."""
    services = [Service.from_object(_service(item)) for item in _of(manifests, "Service")]
    ingresses = [Ingress.from_object(_ingress(item)) for item in _of(manifests, "Ingress")]
    params = [
        IngressClassParams.from_object(_cluster_scoped(item)) for item in _of(manifests, "IngressClassParams")
    ]
    secrets = [Secret.from_object(_secret(item)) for item in _of(manifests, "Secret")]
    namespaces = {ingress.meta.name.namespace for ingress in ingresses}
    return Snapshot(
        services={service.meta.name: service for service in services},
        ingresses={ingress.meta.name: ingress for ingress in ingresses},
        ingress_classes={"alb": _class(params[0].meta.name.name if params else None)},
        class_params={item.meta.name.name: item for item in params},
        namespaces={name: Namespace(name=name, labels={"team": name}) for name in namespaces},
        secrets={secret.name: secret for secret in secrets} | _absent_secrets(ingresses, secrets),
    )


def _absent_secrets(ingresses: Iterable[Ingress], present: Iterable[Secret]) -> dict[Any, Secret | None]:
    """Return that the Secret called `absent` does not exist."""
    names = {secret.name for secret in present}
    absent = {ingress.meta.name._replace(name="absent") for ingress in ingresses}
    return dict.fromkeys(absent - names)


def _of(manifests: Iterable[Mapping[str, Any]], kind: str) -> Iterable[Mapping[str, Any]]:
    return (manifest for manifest in manifests if manifest.get("kind", "Service") == kind)


def _service(manifest: Mapping[str, Any]) -> dict[str, Any]:
    spec = {"type": "NodePort", **manifest["spec"]}
    return completed_service({**manifest, "spec": spec})


def _meta(manifest: Mapping[str, Any]) -> dict[str, Any]:
    meta = manifest["metadata"]
    return {
        "namespace": "shop",
        "uid": f"uid-of-{meta['name']}",
        "generation": 1,
        "creationTimestamp": CREATED,
        **meta,
    }


def _ingress(manifest: Mapping[str, Any]) -> dict[str, Any]:
    meta = _meta(manifest)
    classless = "kubernetes.io/ingress.class" in meta.get("annotations", {})
    spec = ({} if classless else {"ingressClassName": "alb"}) | dict(manifest.get("spec", {}))
    return {"metadata": meta, "spec": spec}


def _cluster_scoped(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {"metadata": manifest["metadata"], "spec": manifest.get("spec", {})}


def _secret(manifest: Mapping[str, Any]) -> dict[str, Any]:
    data = {
        key: base64.b64encode(text.encode()).decode() for key, text in manifest.get("stringData", {}).items()
    }
    return {"metadata": _meta(manifest), "type": manifest.get("type", "Opaque"), "data": data}


def _class(params: str | None) -> IngressClass:
    spec: dict[str, Any] = {"controller": "ingress.k8s.aws/alb"}
    if params is not None:
        spec["parameters"] = {"apiGroup": GROUP_VERSION, "kind": "IngressClassParams", "name": params}
    return IngressClass.from_object({"metadata": {"name": "alb"}, "spec": spec})


def _inventory(facts: Mapping[str, Any]) -> Inventory:
    inventory = inventory_with(facts)
    named = facts.get("named", {})
    return replace(
        inventory,
        named=NamedFacts(
            target_groups={name: arn and Arn(arn) for name, arn in named.get("target_groups", {}).items()},
            trust_stores={name: arn and Arn(arn) for name, arn in named.get("trust_stores", {}).items()},
            web_acls=named.get("web_acls", {}),
            hosted_zones=tuple(
                HostedZone(name=name, id=f"zone-of-{name}") for name in facts.get("hosted_zones", ())
            ),
        ),
        requested_certificates=tuple(_requested(item) for item in facts.get("requested", ())),
    )


def _requested(item: Mapping[str, Any]) -> ObservedRequestedCertificate:
    """Return a certificate that ACM was asked for, by its hosts, its status and the records it tells of."""
    hosts, authority = tuple(item["hosts"]), item.get("authority", "")
    name = item.get("name") or requested_certificate_resource(hosts, authority)
    return ObservedRequestedCertificate(
        arn=Arn(certificate_arn(item["arn"])),
        resource=RequestedCertificate(
            id=ResourceId(Kind.REQUESTED_CERTIFICATE, name),
            hosts=hosts,
            authority=authority,
            records=frozenset(),
            tags={},
        ),
        status=CertificateStatus(item["status"]),
        reason=item.get("reason", ""),
        validation=frozenset(
            ValidationRecord(name=f"_token.{host}.", value="_value.acm-validations.aws.")
            for host in item.get("validation", ())
        ),
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
    )

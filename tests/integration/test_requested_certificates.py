"""Certificates requested for Ingresses: validated in Route 53, used once issued, never waited for."""

from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.local.aws.faults import ALWAYS, ErrorReply, Fault, LoseReply
from tests.support.sites import a_site, asked, problems, settle_with
from tests.support.yard import Yard

pytestmark = pytest.mark.parametrize(
    "yard", [{"feature-gates": "EnableCertificateManagement=true"}], indirect=True, ids=[""]
)
CREATE = {"create-acm-cert": "true"}


def a_zone(yard: Yard, name: str = "example.com") -> str:
    zone = yard.cluster.aws.client("route53").create_hosted_zone(Name=name, CallerReference=name)
    return str(zone["HostedZone"]["Id"])


def certificates(yard: Yard) -> dict[str, str]:
    """Return the status of each requested certificate, by its names."""
    acm = yard.cluster.aws.client("acm")
    every = acm.list_certificates(Includes={"keyTypes": ["RSA_2048"]})["CertificateSummaryList"]
    arns = [item["CertificateArn"] for item in every if item["Type"] in {"AMAZON_ISSUED", "PRIVATE"}]
    found = [acm.describe_certificate(CertificateArn=arn)["Certificate"] for arn in arns]
    return {
        ",".join(sorted(item["SubjectAlternativeNames"])): item["Status"]
        for item in found
        if "site" in str(acm.list_tags_for_certificate(CertificateArn=item["CertificateArn"]))
    }


def records(yard: Yard, zone: str) -> list[tuple[str, int]]:
    """Return the validation records of a zone."""
    listed = yard.cluster.aws.client("route53").list_resource_record_sets(HostedZoneId=zone)
    return [(item["Name"], item["TTL"]) for item in listed["ResourceRecordSets"] if item["Type"] == "CNAME"]


def listening(yard: Yard) -> list[str]:
    return [name for front in yard.state()["load_balancers"].values() for name in front["listeners"]]


def issue_by_hand(yard: Yard) -> None:
    """Look at the certificates until ACM issues them, which it does when the records are there."""
    yard.settle()
    yard.hurry()
    yard.settle()


def told(yard: Yard, name: str = "site") -> list[tuple[str, str]]:
    return [(kind, reason) for kind, reason, _ in yard.events(name, "Ingress")]


def test_from_the_request_to_https_and_to_nothing(yard: Yard) -> None:
    zone = a_zone(yard)
    settle_with(yard, a_site(annotated=CREATE))
    assert ("Normal", "CertificatePending") in told(yard)
    issue_by_hand(yard)

    assert certificates(yard) == {"site.example.com": "ISSUED"}
    assert [ttl for _, ttl in records(yard, zone)] == [60]
    assert listening(yard) == ["443/HTTPS"]
    assert yard.writes()["acm:RequestCertificate"] == 1
    assert yard.writes()["route53:ChangeResourceRecordSets"] == 1

    yard.restart_controller()
    yard.settle()
    yard.forget_calls()
    yard.sweep()
    yard.settle()
    assert yard.writes() == {}

    yard.delete("ingress", "site")
    yard.settle()
    assert certificates(yard) == {}
    assert records(yard, zone) == []
    assert listening(yard) == []


def test_other_hosts_get_another_certificate_while_the_old_one_serves(yard: Yard) -> None:
    zone = a_zone(yard)
    settle_with(yard, a_site(annotated=CREATE))
    issue_by_hand(yard)
    yard.forget_calls()

    yard.patch("ingress", "site", {"spec": {"tls": [{"hosts": ["api.example.com"]}]}})
    issue_by_hand(yard)

    assert certificates(yard) == {"api.example.com,site.example.com": "ISSUED"}
    assert len(records(yard, zone)) == 2
    names = [call.operation for call in yard.cluster.aws.calls if call.request.mutating]
    assert (
        names.index("RequestCertificate") < names.index("ModifyListener") < names.index("DeleteCertificate")
    )


def test_lost_replies_leave_nothing_behind(yard: Yard) -> None:
    zone = a_zone(yard)
    for operation in ("RequestCertificate", "ChangeResourceRecordSets"):
        yard.cluster.aws.inject(Fault(effect=LoseReply(), operation=operation))
    settle_with(yard, a_site(annotated=CREATE))
    issue_by_hand(yard)
    assert certificates(yard) == {"site.example.com": "ISSUED"}
    assert listening(yard) == ["443/HTTPS"]

    yard.cluster.aws.inject(Fault(effect=LoseReply(), operation="ChangeResourceRecordSets"))
    yard.delete("ingress", "site")
    issue_by_hand(yard)
    assert (certificates(yard), records(yard, zone), listening(yard)) == ({}, [], [])


def test_one_that_lacks_a_hosted_zone_or_a_permission_stops_nobody(yard: Yard) -> None:
    a_zone(yard)
    fault: dict[str, Any] = {"effect": ErrorReply(code="AccessDeniedException"), "times": ALWAYS}
    yard.cluster.aws.inject(Fault(operation="RequestCertificate", **fault))
    others = {"listen-ports": '[{"HTTP": 80}]'}
    settle_with(
        yard,
        a_site("site", group="sites", annotated=CREATE),
        a_site("b", group="sites", annotated=others),
        a_site("elsewhere", group="sites", annotated=CREATE, rules=[{"host": "www.example.org"}]),
    )

    assert listening(yard) == ["80/HTTP"]
    assert "acm:RequestCertificate" in str(problems(yard, "site"))
    assert "is in no public hosted zone" in str(problems(yard, "elsewhere"))
    assert problems(yard, "b") is None

    yard.cluster.aws.clear_faults()
    yard.patch("ingress", "site", asked(tags="mended=yes"))
    issue_by_hand(yard)
    assert sorted(listening(yard)) == ["443/HTTPS", "80/HTTP"]

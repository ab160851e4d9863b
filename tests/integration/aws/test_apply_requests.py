"""Requests for certificates in ACM: made once, validated in the right zone, deleted with their records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lbcontroller.errors import NotReady, Transient
from lbcontroller.local.aws.faults import Fault, LoseReply
from lbcontroller.model.ids import Arn, CertificateArn
from lbcontroller.model.observed import CertificateStatus, ObservedRequestedCertificate
from lbcontroller.model.resources import Listener, RequestedCertificate, Stack
from lbcontroller.plan.planner import plan
from lbcontroller.plan.steps import Create, Delete
from tests.support.alb_stacks import GROUP, AlbGroup
from tests.support.aws_access import AwsUnderTest
from tests.support.certificate_requests import AUTHORITY, a_request
from tests.support.nlb_stacks import a_policy

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def a_zone(account: AwsUnderTest, name: str = "example.com", *, private: bool = False) -> str:
    client = account.aws.client("route53")
    vpc = {"VPCRegion": account.aws.region, "VPCId": account.world.vpc_id}
    config = {"HostedZoneConfig": {"PrivateZone": True}, "VPC": vpc} if private else {}
    made = client.create_hosted_zone(Name=name, CallerReference=f"{name}{private}", **config)
    return str(made["HostedZone"]["Id"])


def records(account: AwsUnderTest, zone: str) -> list[str]:
    listed = account.aws.client("route53").list_resource_record_sets(HostedZoneId=zone)
    return [
        item["Name"].partition(".")[2] for item in listed["ResourceRecordSets"] if item["Type"] == "CNAME"
    ]


def requested(account: AwsUnderTest) -> list[Arn]:
    """Return the certificates in ACM that somebody requested for hosts of these tests."""
    listed = account.aws.client("acm").list_certificates()["CertificateSummaryList"]
    world = set(account.world.ids.values())
    return [Arn(item["CertificateArn"]) for item in listed if item["CertificateArn"] not in world]


def request(account: AwsUnderTest, desired: RequestedCertificate) -> Arn:
    return account.applier.execute(Create(resource=desired, reason="asked for"), {})


def observed(account: AwsUnderTest, arn: Arn) -> ObservedRequestedCertificate:
    found = account.mirror.find(arn)
    assert isinstance(found, ObservedRequestedCertificate)
    return found


def look(account: AwsUnderTest, arn: Arn) -> ObservedRequestedCertificate:
    account.observer.refresh_requests(GROUP)
    return observed(account, arn)


def issue(account: AwsUnderTest, desired: RequestedCertificate, *beside: RequestedCertificate) -> Arn:
    """Request a certificate and write the records that ACM wants to see, as a reconcile does."""
    arn = request(account, desired)
    look(account, arn)
    validated = replace(desired, records=look(account, arn).validation)
    made = account.plan(Stack(GROUP, (validated, *beside)))
    account.execute(made.steps, made.kept)
    assert look(account, arn).status is CertificateStatus.ISSUED
    return arn


def test_the_records_are_written_once_and_into_the_longest_public_zone(account: AwsUnderTest) -> None:
    parent, child = a_zone(account), a_zone(account, "shop.example.com")
    a_zone(account, "www.shop.example.com", private=True)

    first = a_request("www.shop.example.com", "*.example.com", "example.com")
    issue(account, first)

    assert records(account, parent) == ["example.com."]
    assert records(account, child) == ["www.shop.example.com."]
    written = len(account.params("ChangeResourceRecordSets"))
    issue(account, a_request("www.shop.example.com"), first)
    assert len(account.params("ChangeResourceRecordSets")) == written


def test_a_lost_reply_makes_no_second_certificate(account: AwsUnderTest) -> None:
    account.aws.inject(Fault(effect=LoseReply(), operation="RequestCertificate", times=20))
    with pytest.raises(Transient):
        request(account, a_request())
    account.aws.clear_faults()
    account.restart()

    arn = request(account, a_request())

    assert requested(account) == [arn]


def test_who_asks_again_after_a_deletion_gets_another_one(account: AwsUnderTest) -> None:
    a_zone(account)
    first = issue(account, a_request())
    account.applier.execute(Delete(id=a_request().id, arn=first, reason="gone"), {})

    assert request(account, a_request()) != first


def test_a_private_authority_issues_without_records(account: AwsUnderTest) -> None:
    arn = request(account, a_request(authority=AUTHORITY))

    assert look(account, arn).status is CertificateStatus.ISSUED
    assert account.params("RequestCertificate")[0]["CertificateAuthorityArn"] == AUTHORITY
    assert "ValidationMethod" not in account.params("RequestCertificate")[0]


def test_a_record_that_another_certificate_needs_stays(account: AwsUnderTest) -> None:
    zone = a_zone(account)
    both, one = a_request("a.example.com", "b.example.com"), a_request("*.a.example.com", "a.example.com")
    arn = issue(account, both)
    other = issue(account, one, both)

    account.applier.execute(Delete(id=both.id, arn=arn, reason="gone"), {})
    assert records(account, zone) == ["a.example.com."]

    account.applier.execute(Delete(id=one.id, arn=other, reason="gone"), {})
    assert records(account, zone) == []
    assert requested(account) == []


def test_a_record_that_somebody_changed_stays(account: AwsUnderTest) -> None:
    zone = a_zone(account)
    arn = issue(account, a_request())
    (record,) = observed(account, arn).validation
    theirs = {"Name": record.name, "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": "theirs."}]}
    change = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": theirs}]}
    account.aws.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)

    account.applier.execute(Delete(id=a_request().id, arn=arn, reason="gone"), {})

    assert records(account, zone) == ["www.example.com."]
    assert requested(account) == []


def test_a_zone_that_is_gone_is_waited_for_and_stops_no_deletion(account: AwsUnderTest) -> None:
    arn = request(account, a_request())
    look(account, arn)
    validated = replace(a_request(), records=look(account, arn).validation)
    made = account.plan(Stack(GROUP, (validated,)))

    with pytest.raises(NotReady, match="no public hosted zone"):
        account.execute(made.steps, made.kept)
    account.applier.execute(Delete(id=a_request().id, arn=arn, reason="gone"), {})

    assert requested(account) == []


def test_what_lbc_requested_is_found_as_it_is_and_only_with_the_gate(account: AwsUnderTest) -> None:
    a_zone(account)
    arn = issue(account, a_request())
    account.restart()

    account.loader.load()
    assert account.mirror.find(arn) is None

    replace(account.loader, mirror=account.mirror, requests_certificates=True).load()
    assert observed(account, arn).resource == a_request(records=frozenset())
    assert observed(account, arn).status is CertificateStatus.ISSUED
    assert account.plan(Stack(GROUP, (a_request(),))).is_settled


def test_what_failed_is_asked_for_again_after_a_day(account: AwsUnderTest) -> None:
    arn = request(account, a_request())
    failed = replace(
        observed(account, arn), status=CertificateStatus.FAILED, reason="CAA_ERROR", created_at=NOW
    )
    stack = Stack(GROUP, (a_request(),))

    assert plan(stack, (failed,), a_policy(now=NOW + timedelta(hours=23))).is_settled
    create, delete = plan(stack, (failed,), a_policy(now=NOW + timedelta(hours=25))).steps

    assert isinstance(create, Create)
    assert (create.replaces, create.reason) == (arn, "ACM says FAILED: CAA_ERROR")
    assert isinstance(delete, Delete)
    account.applier.execute(create, {})
    assert len(requested(account)) == 2


def test_one_that_others_use_is_waited_for_by_later_plans(account: AwsUnderTest) -> None:
    a_zone(account)
    arn = issue(account, a_request())
    site = account.here(AlbGroup(port=443, secret=None).stack())
    (listener,) = [item for item in site.resources if isinstance(item, Listener)]
    theirs = replace(listener, certificates=(CertificateArn(arn),))
    account.make(Stack(site.id, (*(item for item in site.resources if item is not listener), theirs)))
    delete = Delete(id=a_request().id, arn=arn, reason="gone")

    with pytest.raises(NotReady, match="is in use by"):
        account.applier.execute(delete, {})

    later = plan(Stack(GROUP), (observed(account, arn),), a_policy())
    assert not later.steps
    assert later.postponed[0].waits_for.endswith("no longer uses it")

    account.applier.execute(Delete(id=listener.id, arn=account.arns(site)[listener.id], reason="gone"), {})
    assert look(account, arn).users == ()
    assert plan(Stack(GROUP), (observed(account, arn),), a_policy()).steps

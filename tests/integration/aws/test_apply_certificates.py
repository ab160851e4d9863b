"""Certificates of Secrets in ACM: imported once, replaced in place, deleted when unused, and never shown."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest

from lbcontroller.errors import NotReady, Transient
from lbcontroller.local.aws.faults import ALWAYS, DropConnection, ErrorReply, Fault, LoseReply
from lbcontroller.model.actions import ClientSecret
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import Certificate, Stack
from lbcontroller.plan.steps import Create, Delete
from tests.support.alb_stacks import (
    CERTIFICATE,
    GROUP,
    TLS_SECRET,
    AlbGroup,
    Rule,
    an_oidc_login,
    forward,
    listener_id,
)
from tests.support.aws_access import AwsUnderTest
from tests.support.key_pairs import a_key_pair

PAIR = a_key_pair("www.example.com")
NEXT = a_key_pair("www.example.com", "api.example.com")


def a_group(account: AwsUnderTest, **changes: Any) -> Stack:
    """Return a group with the certificate of a Secret, which holds what the stack was built from."""
    group = AlbGroup(**{"port": 443, "secret": PAIR, **changes})
    if group.secret is not None:
        account.secrets[TLS_SECRET] = group.secret
    return account.here(group.stack())


def imported(account: AwsUnderTest) -> list[Arn]:
    """Return the certificates in ACM that somebody imported."""
    every = {"keyTypes": ["RSA_2048", "EC_prime256v1"]}
    listed = account.aws.client("acm").list_certificates(Includes=every)["CertificateSummaryList"]
    return [Arn(item["CertificateArn"]) for item in listed if item["Type"] == "IMPORTED"]


def served(account: AwsUnderTest, listener: Arn) -> list[str]:
    elbv2 = account.aws.client("elbv2")
    listed = elbv2.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    return [item["CertificateArn"] for item in listed if item["IsDefault"]]


def the_certificate(stack: Stack) -> Certificate:
    [found] = [resource for resource in stack.resources if isinstance(resource, Certificate)]
    return found


def test_a_certificate_is_imported_before_the_listener_that_has_it(account: AwsUnderTest) -> None:
    stack = a_group(account)

    calls = account.called(lambda: account.make(stack))

    assert [call for call in calls if call.startswith("acm:")] == [
        "acm:ListCertificates",
        "acm:ImportCertificate",
    ]
    [arn] = imported(account)
    assert served(account, account.arns(stack)[listener_id(443)]) == [arn]
    assert account.differences(stack) == {}


def test_it_is_tagged_as_ours(account: AwsUnderTest) -> None:
    account.make(a_group(account))

    [arn] = imported(account)
    listed = account.aws.client("acm").list_tags_for_certificate(CertificateArn=arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in listed} == {
        "elbv2.k8s.aws/cluster": "demo",
        "elbv2.k8s.aws/fingerprint": PAIR.fingerprint,
        "ingress.k8s.aws/resource": "imported/shop/site-tls",
        "ingress.k8s.aws/stack": "shop/site",
    }


def test_a_new_certificate_takes_the_place_of_the_old_one_under_its_arn(account: AwsUnderTest) -> None:
    account.make(a_group(account))
    [before] = imported(account)
    changed = a_group(account, secret=NEXT)

    calls = account.called(lambda: account.change(changed, CERTIFICATE, "fingerprint"))

    assert calls == ["acm:ImportCertificate", "acm:AddTagsToCertificate"]
    assert imported(account) == [before]
    assert account.differences(changed) == {}


def test_what_was_sent_counts_when_the_secret_changed_since_the_plan(account: AwsUnderTest) -> None:
    stack = a_group(account)
    account.secrets[TLS_SECRET] = NEXT

    account.make(stack)

    assert account.differences(a_group(account, secret=NEXT)) == {}


def test_without_its_secret_a_certificate_waits(account: AwsUnderTest) -> None:
    stack = a_group(account)
    del account.secrets[TLS_SECRET]

    with pytest.raises(NotReady, match="Secret shop/site-tls is gone"):
        account.make(stack)

    assert imported(account) == []


def test_tags_change_in_place(account: AwsUnderTest) -> None:
    account.make(a_group(account, tags={"team": "red", "old": "1"}))
    changed = a_group(account, tags={"team": "blue"})

    calls = account.called(lambda: account.change(changed, CERTIFICATE, "tags.team", "tags.old"))

    assert calls == ["acm:AddTagsToCertificate", "acm:RemoveTagsFromCertificate"]
    account.restart()
    account.loader.load()
    [found] = account.observed(changed, Kind.CERTIFICATE)
    assert found.resource == the_certificate(changed)


def test_a_certificate_that_a_listener_has_is_not_deleted_yet(account: AwsUnderTest) -> None:
    stack = a_group(account)
    arns = account.make(stack)
    delete = Delete(id=CERTIFICATE, arn=arns[CERTIFICATE], reason="nobody asks for it")

    with pytest.raises(NotReady, match="is in use") as raised:
        account.applier.execute(delete, arns)
    account.applier.execute(Delete(id=listener_id(443), arn=arns[listener_id(443)], reason="gone"), arns)
    account.applier.execute(delete, arns)

    assert raised.value.retry_after == 15
    assert imported(account) == []
    assert account.observed(stack, Kind.CERTIFICATE) == []


def test_deleting_a_certificate_that_is_gone_succeeds(account: AwsUnderTest) -> None:
    stack = a_group(account)
    arn = account.applier.execute(Create(resource=the_certificate(stack), reason="asked for"), {})
    account.aws.client("acm").delete_certificate(CertificateArn=arn)

    account.applier.execute(Delete(id=CERTIFICATE, arn=arn, reason="gone"), {})

    assert account.mirror.find(arn) is None


def test_a_lost_reply_makes_no_second_certificate(account: AwsUnderTest) -> None:
    stack = a_group(account)
    create = Create(resource=the_certificate(stack), reason="asked for")
    account.aws.inject(Fault(effect=LoseReply(), operation="ImportCertificate"))

    with pytest.raises(Transient):
        account.applier.execute(create, {})
    calls = account.called(lambda: account.applier.execute(create, {}))

    assert len(imported(account)) == 1
    assert calls == [
        "acm:ListCertificates",
        "acm:ListTagsForCertificate",
        "acm:ImportCertificate",
        "acm:AddTagsToCertificate",
    ]


def test_a_process_killed_after_an_import_is_taken_over_by_the_next(account: AwsUnderTest) -> None:
    stack = a_group(account)
    account.aws.inject(Fault(effect=LoseReply(), operation="ImportCertificate"))
    with pytest.raises(Transient):
        account.make(stack)

    account.restart()
    account.loader.load()

    [found] = account.observed(stack, Kind.CERTIFICATE)
    assert found.resource == the_certificate(stack)


def test_an_import_that_was_not_carried_out_is_tried_again_by_the_queue(account: AwsUnderTest) -> None:
    stack = a_group(account)
    account.aws.inject(Fault(effect=DropConnection(), operation="ImportCertificate"))

    with pytest.raises(Transient):
        account.make(stack)
    account.execute([Create(resource=the_certificate(stack), reason="asked for")], {})

    assert len(imported(account)) == 1


def test_a_throttled_import_is_tried_again_in_place(account: AwsUnderTest) -> None:
    account.aws.inject(Fault(effect=ErrorReply(code="ThrottlingException"), operation="ImportCertificate"))

    account.make(a_group(account))

    assert len(imported(account)) == 1


def test_the_quota_of_imports_is_the_administrators_business(account: AwsUnderTest) -> None:
    account.aws.inject(Fault(effect=ErrorReply(code="LimitExceededException"), operation="ImportCertificate"))

    with pytest.raises(Exception, match="acm:ImportCertificate: LimitExceededException"):
        account.make(a_group(account))


def test_certificates_of_others_are_not_ours(account: AwsUnderTest) -> None:
    acm = account.aws.client("acm")
    tags = [
        {"Key": "elbv2.k8s.aws/cluster", "Value": "demo"},
        {"Key": "ingress.k8s.aws/stack", "Value": "shop/site"},
    ]
    of_lbc = acm.request_certificate(
        DomainName="lbc.example.com",
        Tags=[*tags, {"Key": "ingress.k8s.aws/resource", "Value": "amazon_issued/lbc.example.com-1a2b3c4d"}],
    )["CertificateArn"]
    acm.import_certificate(Certificate=NEXT.certificate, PrivateKey=NEXT.key)

    account.loader.load()

    assert account.mirror.find(of_lbc) is None
    assert account.mirror.stacks() == frozenset()


def test_who_may_not_read_certificates_reads_everything_else(account: AwsUnderTest) -> None:
    stack = account.here(AlbGroup().stack())
    account.make(stack)
    account.restart()
    account.aws.inject(
        Fault(effect=ErrorReply(code="AccessDeniedException"), operation="GetResources", times=ALWAYS)
    )

    assert account.loader.load() == {GROUP}


def test_a_certificate_that_the_tagging_api_does_not_know_yet_stays_known(account: AwsUnderTest) -> None:
    stack = a_group(account)
    account.make(stack)
    account.loader.load()
    [arn] = imported(account)
    account.aws.life_cycle.not_listed_yet.add(arn)

    assert account.loader.load() == frozenset()
    assert account.mirror.find(arn) is not None

    account.aws.client("elbv2").delete_listener(ListenerArn=account.arns(stack)[listener_id(443)])
    account.aws.client("acm").delete_certificate(CertificateArn=arn)
    account.loader.load()
    assert account.mirror.find(arn) is None


def test_no_log_shows_a_private_key_or_a_client_secret(
    account: AwsUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("botocore", "botocore.endpoint", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    login = an_oidc_login(ClientSecret("s3cret-of-the-client"))
    account.make(a_group(account, rules=(Rule(actions=(login, forward("web"))),)))

    shown = "\n".join([record.getMessage() for record in caplog.records])
    body = PAIR.key.decode().splitlines()[1]
    secrets = (body, base64.b64encode(PAIR.key).decode()[40:80], "s3cret-of-the-client")
    assert "ImportCertificate" in shown
    assert not [secret for secret in secrets if secret in shown]
    assert not [secret for secret in secrets if secret in str(account.aws.calls)]
    assert not [secret for secret in secrets if secret in str(account.records)]
    assert not [secret for secret in secrets if secret in repr(account.mirror.observed(GROUP))]

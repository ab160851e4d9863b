"""Probes of certificates that ACM is asked for, and that it validates through DNS."""

from __future__ import annotations

from typing import Any

from tests.support.strict_probes.bench import Answer, Bench, Probes

probe = Probes()
_HOST = "probe.example.com"


def _request(bench: Bench) -> str:
    asked = bench.acm.request_certificate(
        DomainName=_HOST, ValidationMethod="DNS", IdempotencyToken=bench.name().replace("-", "_")
    )
    return str(asked["CertificateArn"])


def _look(bench: Bench, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = bench.acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return found


@probe(aws_answers=[False, True])
def the_records_of_a_request_are_told_later(bench: Bench) -> Answer:
    arn = _request(bench)
    shown = ["ResourceRecord" in _look(bench, arn)["DomainValidationOptions"][0] for _ in range(2)]
    bench.acm.delete_certificate(CertificateArn=arn)
    return shown


@probe(aws_answers=["PENDING_VALIDATION", "ISSUED"])
def a_certificate_is_issued_when_its_records_are_in_dns(bench: Bench) -> Answer:
    arn = _request(bench)
    _look(bench, arn)
    before = _look(bench, arn)
    record = before["DomainValidationOptions"][0]["ResourceRecord"]
    zone = bench.dns.create_hosted_zone(Name="example.com", CallerReference=bench.name())["HostedZone"]["Id"]
    wanted = {
        "Name": record["Name"],
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": record["Value"]}],
    }
    change = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": wanted}]}
    bench.dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)
    after = _look(bench, arn)
    bench.acm.delete_certificate(CertificateArn=arn)
    return [before["Status"], after["Status"]]


@probe(aws_answers=[1, 0])
def a_certificate_tells_who_uses_it(bench: Bench) -> Answer:
    arn = bench.certificates[0]
    others = len(_look(bench, arn)["InUseBy"])
    listener = bench.listener_arn(Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": arn}])
    used = len(_look(bench, arn)["InUseBy"])
    bench.elb.delete_listener(ListenerArn=listener)
    return [used - others, len(_look(bench, arn)["InUseBy"]) - others]


@probe(aws_answers="ok")
def a_token_of_what_is_deleted_stands_for_nothing(bench: Bench) -> Answer:
    asked = {"DomainName": _HOST, "ValidationMethod": "DNS", "IdempotencyToken": "probe"}
    first = bench.acm.request_certificate(**asked)["CertificateArn"]
    bench.acm.delete_certificate(CertificateArn=first)
    return bench.outcome(bench.acm.request_certificate, **asked)

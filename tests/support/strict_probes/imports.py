"""Probes of certificates that are imported into ACM."""

from __future__ import annotations

from typing import Any

from tests.support.key_pairs import a_key_pair
from tests.support.strict_probes.bench import Answer, Bench, Probes

probe = Probes()
_TAGS = [{"Key": "team", "Value": "blue"}]


def _parts(name: str) -> dict[str, Any]:
    pair = a_key_pair(name)
    return {"Certificate": pair.certificate, "PrivateKey": pair.key}


@probe(aws_answers=[_TAGS, "ValidationException"])
def an_import_in_place_keeps_the_tags(bench: Bench) -> Answer:
    arn = bench.acm.import_certificate(**_parts("a.example.com"), Tags=_TAGS)["CertificateArn"]
    bench.acm.import_certificate(**_parts("b.example.com"), CertificateArn=arn)
    tags = bench.acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]
    tagged = bench.outcome(
        bench.acm.import_certificate, **_parts("c.example.com"), CertificateArn=arn, Tags=_TAGS
    )
    bench.acm.delete_certificate(CertificateArn=arn)
    return [tags, tagged]


@probe(aws_answers="ValidationException")
def a_key_belongs_to_its_certificate(bench: Bench) -> Answer:
    mixed = {**_parts("a.example.com"), "PrivateKey": a_key_pair("b.example.com").key}
    return bench.outcome(bench.acm.import_certificate, **mixed)


@probe(aws_answers=["ResourceInUseException", "ResourceInUseException", "ok"])
def certificates_of_listeners_are_not_deleted(bench: Bench) -> Answer:
    first, second = (
        bench.acm.import_certificate(**_parts(name))["CertificateArn"]
        for name in ("a.example.com", "b.example.com")
    )
    listener = bench.listener_arn(Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": first}])
    bench.elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": second}])
    used = [bench.outcome(bench.acm.delete_certificate, CertificateArn=arn) for arn in (first, second)]
    bench.elb.delete_listener(ListenerArn=listener)
    bench.acm.delete_certificate(CertificateArn=second)
    return [*used, bench.outcome(bench.acm.delete_certificate, CertificateArn=first)]


@probe(aws_answers=[True, 100])
def a_summary_has_room_for_a_hundred_names(bench: Bench) -> Answer:
    names = [f"h{number}.example.com" for number in range(101)]
    pair = a_key_pair(*names)
    arn = bench.acm.import_certificate(Certificate=pair.certificate, PrivateKey=pair.key)["CertificateArn"]
    listed = bench.acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"]
    [found] = [item for item in listed if item["CertificateArn"] == arn]
    bench.acm.delete_certificate(CertificateArn=arn)
    return [
        found.get("HasAdditionalSubjectAlternativeNames"),
        len(found.get("SubjectAlternativeNameSummaries", ())),
    ]

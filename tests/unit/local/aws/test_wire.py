from __future__ import annotations

from typing import Any

from lbcontroller.local.aws.recorder import Request
from lbcontroller.local.aws.wire import REDACTED, error_reply, parse_request


def parsed(service: str, body: bytes, **headers: str) -> Request:
    scope = f"Credential=AKIA/20260101/us-west-2/{service}/aws4_request"
    environ: dict[str, Any] = {
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host",
        "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8",
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        **headers,
    }
    return parse_request(environ, body)


def test_query_parameters_have_the_names_and_types_of_the_api() -> None:
    body = (
        b"Action=CreateListener&Version=2015-12-01&LoadBalancerArn=arn&Port=443"
        b"&DefaultActions.member.1.Type=forward"
        b"&DefaultActions.member.1.ForwardConfig.TargetGroupStickinessConfig.Enabled=true"
        b"&AlpnPolicy.member.1=None&AlpnPolicy.member.2="
    )
    request = parsed("elasticloadbalancing", body)
    assert (request.service, request.operation) == ("elbv2", "CreateListener")
    assert request.params == {
        "LoadBalancerArn": "arn",
        "Port": 443,
        "DefaultActions": [
            {"Type": "forward", "ForwardConfig": {"TargetGroupStickinessConfig": {"Enabled": True}}}
        ],
        "AlpnPolicy": ["None", ""],
    }
    assert (request.region, request.access_key) == ("us-west-2", "AKIA")


def test_ec2_parameters_have_the_names_of_the_api_too() -> None:
    body = (
        b"Action=CreateSecurityGroup&Version=2016-11-15&GroupName=g&GroupDescription=d"
        b"&TagSpecification.1.ResourceType=security-group&TagSpecification.1.Tag.1.Key=a"
        b"&TagSpecification.1.Tag.1.Value=b"
    )
    assert parsed("ec2", body).params == {
        "GroupName": "g",
        "Description": "d",
        "TagSpecifications": [{"ResourceType": "security-group", "Tags": [{"Key": "a", "Value": "b"}]}],
    }


def test_lists_keep_their_order_beyond_nine_items() -> None:
    items = "&".join(f"GroupId.{number}=sg-{number}" for number in (10, 2, 1, 11))
    body = f"Action=DescribeSecurityGroups&{items}".encode()
    assert parsed("ec2", body).params == {"GroupIds": ["sg-1", "sg-2", "sg-10", "sg-11"]}


def test_json_services_name_the_operation_in_a_header() -> None:
    target = "ResourceGroupsTaggingAPI_20170126.GetResources"
    request = parsed("tagging", b'{"ResourcesPerPage": 5}', HTTP_X_AMZ_TARGET=target)
    assert (request.service, request.operation) == ("resourcegroupstaggingapi", "GetResources")
    assert request.params == {"ResourcesPerPage": 5}


def test_rest_services_name_the_operation_by_method_and_path() -> None:
    path, body = (
        "/2013-04-01/hostedzone/Z1/rrset",
        (
            b"<ChangeResourceRecordSetsRequest><ChangeBatch><Changes><Change><Action>UPSERT</Action>"
            b"<ResourceRecordSet><Name>_x.example.com.</Name><Type>CNAME</Type><TTL>60</TTL></ResourceRecordSet>"
            b"</Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
        ),
    )
    read = parsed("route53", b"", REQUEST_METHOD="GET", PATH_INFO=path, CONTENT_TYPE="")
    change = parsed("route53", body, PATH_INFO=f"{path}/", CONTENT_TYPE="")

    assert (read.operation, read.params) == ("ListResourceRecordSets", {"Id": "Z1"})
    assert (change.service, change.operation, change.mutating) == (
        "route53",
        "ChangeResourceRecordSets",
        True,
    )
    assert change.params == {
        "Id": "Z1",
        "Changes": [{"Action": "UPSERT", "Name": "_x.example.com.", "Type": "CNAME"}],
    }


def test_secrets_are_not_recorded() -> None:
    body = b'{"Certificate": "cert", "PrivateKey": "key", "Tags": [{"Key": "a", "Value": "b"}]}'
    request = parsed("acm", body, HTTP_X_AMZ_TARGET="CertificateManager.ImportCertificate")
    form = b"Action=CreateRule&Actions.member.1.AuthenticateOidcConfig.ClientSecret=s3cret"

    assert request.params == {
        "Certificate": "cert",
        "PrivateKey": REDACTED,
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    assert parsed("elasticloadbalancing", form).params == {
        "Actions": [{"AuthenticateOidcConfig": {"ClientSecret": REDACTED}}]
    }


def test_unsigned_form_calls_are_for_sts() -> None:
    body = b"Action=AssumeRoleWithWebIdentity&RoleArn=arn"
    request = parse_request({"CONTENT_TYPE": "application/x-www-form-urlencoded"}, body)
    assert (request.service, request.operation) == ("sts", "AssumeRoleWithWebIdentity")


def test_operations_that_read_are_known() -> None:
    reading = parsed("ec2", b"Action=DescribeSubnets")
    writing = parsed("ec2", b"Action=CreateTags")
    assert (reading.mutating, writing.mutating) == (False, True)


def test_each_protocol_has_its_error_envelope() -> None:
    for service in ("elbv2", "ec2", "wafv2", "acm", "iam"):
        assert error_reply(service, "Throttling", "x", 400).error_code == "Throttling"
    assert b"<Errors>" in error_reply("ec2", "Throttling", "x", 400).body
    assert error_reply("acm", "Throttling", "x", 400).body.startswith(b"{")


def test_messages_are_escaped() -> None:
    assert b"&lt;a&gt;" in error_reply("elbv2", "Throttling", "<a>", 400).body

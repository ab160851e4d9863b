"""Probes of listeners and their certificates."""

from __future__ import annotations

from tests.support.strict_probes.bench import FIXED_404, Answer, Bench, Probes, all_pages, attributes, forward

probe = Probes()


@probe(aws_answers=True)
def creating_the_same_listener_again_answers_the_existing_one(bench: Bench) -> Answer:
    owner = bench.load_balancer_arn()
    return bench.listener_arn(owner) == bench.listener_arn(owner)


@probe(aws_answers="DuplicateListener")
def a_port_is_taken_once(bench: Bench) -> Answer:
    owner = bench.load_balancer_arn()
    bench.listener_arn(owner)
    actions = [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Host": "b"}}]
    return bench.outcome(bench.listener, owner=owner, DefaultActions=actions)


@probe(aws_answers=["ok", "DuplicateListener"])
def tcp_and_udp_share_a_port_but_tcp_udp_takes_both(bench: Bench) -> Answer:
    owner, group = bench.load_balancer_arn(Type="network"), bench.target_group_arn(Protocol="TCP_UDP")
    bench.listener_arn(owner, Protocol="TCP", Port=53, DefaultActions=forward(group))
    return [
        bench.outcome(bench.listener, owner=owner, Protocol=protocol, Port=53, DefaultActions=forward(group))
        for protocol in ("UDP", "TCP_UDP")
    ]


@probe(aws_answers=["TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"])
def listeners_change_to_every_protocol(bench: Bench) -> Answer:
    arn = bench.network_listener_arn("TCP")
    certificate = [{"CertificateArn": bench.certificates[0]}]
    changed = []
    for protocol in ("TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"):
        params = {"Certificates": certificate} if protocol == "TLS" else {}
        bench.outcome(bench.elb.modify_listener, ListenerArn=arn, Protocol=protocol, **params)
        changed.append(bench.listener_again(arn)["Protocol"])
    return changed


@probe(aws_answers=[True, ["HTTP2Only"]])
def tls_listeners_change_certificate_and_alpn_policy(bench: Bench) -> Answer:
    arn = bench.network_listener_arn("TLS")
    certificate = [{"CertificateArn": bench.certificates[1]}]
    bench.outcome(
        bench.elb.modify_listener, ListenerArn=arn, Certificates=certificate, AlpnPolicy=["HTTP2Only"]
    )
    changed = bench.listener_again(arn)
    return [changed["Certificates"] == certificate, changed.get("AlpnPolicy")]


@probe(aws_answers=2)
def a_new_default_certificate_leaves_the_others(bench: Bench) -> Answer:
    arn = bench.https_listener_arn()
    first, second = ({"CertificateArn": arn} for arn in bench.certificates)
    bench.elb.add_listener_certificates(ListenerArn=arn, Certificates=[second])
    bench.elb.modify_listener(ListenerArn=arn, Certificates=[first])
    return len(bench.elb.describe_listener_certificates(ListenerArn=arn)["Certificates"])


@probe(aws_answers=["passthrough", "off"])
def mutual_authentication_is_described(bench: Bench) -> Answer:
    certificate = [{"CertificateArn": bench.certificates[0]}]
    wanted = {"Protocol": "HTTPS", "Certificates": certificate}
    owner = bench.load_balancer_arn()
    asked = bench.listener(owner, Port=443, MutualAuthentication={"Mode": "passthrough"}, **wanted)
    plain = bench.listener(owner, Port=444, **wanted)
    return [item.get("MutualAuthentication", {}).get("Mode") for item in (asked, plain)]


@probe(aws_answers=["DuplicateListener", "TargetGroupNotFound"])
def changes_are_checked_like_creations(bench: Bench) -> Answer:
    owner = bench.load_balancer_arn()
    arn = bench.listener_arn(owner)
    bench.listener_arn(owner, Port=81)
    unknown = bench.target_group_arn()
    bench.elb.delete_target_group(TargetGroupArn=unknown)
    return [
        bench.outcome(bench.elb.modify_listener, ListenerArn=arn, Port=81),
        bench.outcome(bench.elb.modify_listener, ListenerArn=arn, DefaultActions=forward(unknown)),
    ]


@probe(aws_answers=["ValidationError", "TooManyCertificates", "SSLPolicyNotFound", "CertificateNotFound"])
def https_needs_one_known_certificate_and_a_known_policy(bench: Bench) -> Answer:
    owner = bench.load_balancer_arn()
    known = [{"CertificateArn": arn} for arn in bench.certificates]
    unknown = [{"CertificateArn": f"{bench.certificates[0]}0"}]
    return [
        bench.outcome(bench.listener, owner=owner, Protocol="HTTPS", **params)
        for params in (
            {},
            {"Certificates": known},
            {"Certificates": known[:1], "SslPolicy": "unknown"},
            {"Certificates": unknown},
        )
    ]


@probe(aws_answers=[False, False, False])
def listeners_without_tls_have_no_tls_fields(bench: Bench) -> Answer:
    plain = bench.listener(bench.load_balancer_arn())
    arn = bench.https_listener_arn()
    bench.elb.modify_listener(ListenerArn=arn, Protocol="HTTP")
    changed = bench.listener_again(arn)
    return ["SslPolicy" in plain, "SslPolicy" in changed, bool(changed.get("Certificates"))]


@probe(aws_answers=["ok", "ok"])
def network_load_balancers_speak_quic(bench: Bench) -> Answer:
    return [bench.outcome(bench.network_listener_arn, protocol=name) for name in ("QUIC", "TCP_QUIC")]


@probe(
    aws_answers=[
        "IncompatibleProtocols",
        "ValidationError",
        "TooManyActions",
        "TooManyTargetGroups",
        "ValidationError",
        "ValidationError",
    ]
)
def impossible_actions_are_refused(bench: Bench) -> Answer:
    owner = bench.load_balancer_arn()
    group, tcp = bench.target_group_arn(), bench.target_group_arn(Protocol="TCP")
    heavy = {"TargetGroups": [{"TargetGroupArn": group, "Weight": 1000}]}
    return [
        bench.outcome(bench.listener, owner=owner, DefaultActions=actions)
        for actions in (
            forward(tcp),
            [],
            FIXED_404 * 2,
            forward(*[group] * 6),
            [{"Type": "forward", "ForwardConfig": heavy}],
            [{"Type": "forward"}],
        )
    ]


@probe(aws_answers="InvalidLoadBalancerAction")
def grpc_needs_https(bench: Bench) -> Answer:
    grpc = bench.target_group_arn(ProtocolVersion="GRPC")
    return bench.outcome(bench.listener, owner=bench.load_balancer_arn(), DefaultActions=forward(grpc))


@probe(aws_answers="TargetGroupAssociationLimit")
def a_target_group_belongs_to_one_load_balancer(bench: Bench) -> Answer:
    actions = forward(bench.target_group_arn())
    bench.listener_arn(DefaultActions=actions)
    return bench.outcome(bench.listener, owner=bench.load_balancer_arn(), DefaultActions=actions)


@probe(aws_answers=[True, 1, False])
def a_plain_forward_is_described_in_both_forms(bench: Bench) -> Answer:
    group = bench.target_group_arn()
    made = bench.listener(
        bench.load_balancer_arn(), DefaultActions=[{"Type": "forward", "TargetGroupArn": group}]
    )
    config = made["DefaultActions"][0].get("ForwardConfig", {})
    weights = [item.get("Weight") for item in config.get("TargetGroups", [])]
    stickiness = config.get("TargetGroupStickinessConfig", {})
    return [made["DefaultActions"][0]["TargetGroupArn"] == group, *weights, stickiness.get("Enabled")]


@probe(aws_answers=[2, "CertificateNotFound", "OperationNotPermitted", 1])
def extra_certificates_are_a_set_apart_from_the_default(bench: Bench) -> Answer:
    arn = bench.https_listener_arn()
    first, second = ({"CertificateArn": arn} for arn in bench.certificates)
    for _ in range(2):
        bench.elb.add_listener_certificates(ListenerArn=arn, Certificates=[second])
    listed = bench.elb.describe_listener_certificates(ListenerArn=arn)["Certificates"]
    unknown = {"CertificateArn": f"{bench.certificates[0]}0"}
    return [
        len(listed),
        bench.outcome(bench.elb.add_listener_certificates, ListenerArn=arn, Certificates=[unknown]),
        bench.outcome(bench.elb.remove_listener_certificates, ListenerArn=arn, Certificates=[first]),
        len(bench.listener_again(arn)["Certificates"]),
    ]


@probe(aws_answers=["ListenerNotFound", [1, 1]])
def descriptions_are_complete_and_paged(bench: Bench) -> Answer:
    owner = bench.load_balancer_arn()
    arn = bench.listener_arn(owner)
    bench.listener_arn(owner, Port=81)
    describe = bench.elb.describe_listeners
    pages = all_pages(describe, "Listeners", LoadBalancerArn=owner, PageSize=1)
    return [bench.outcome(describe, ListenerArns=[arn, f"{arn}0"]), [len(found) for found in pages]]


@probe(aws_answers=[["routing.http.response.server.enabled"], "ValidationError"])
def attributes_are_those_of_the_protocol(bench: Bench) -> Answer:
    arn = bench.listener_arn()
    unknown = [{"Key": "unknown", "Value": "x"}]
    return [
        list(attributes(bench.elb.describe_listener_attributes(ListenerArn=arn))),
        bench.outcome(bench.elb.modify_listener_attributes, ListenerArn=arn, Attributes=unknown),
    ]


@probe(aws_answers=[1, 0])
def a_target_group_names_its_load_balancers_of_today(bench: Bench) -> Answer:
    group, owner = bench.target_group_arn(), bench.load_balancer_arn()
    arn = bench.listener_arn(owner, DefaultActions=forward(group))
    bench.rule(arn, 1, Actions=forward(group))
    describe = bench.elb.describe_target_groups
    before = describe(TargetGroupArns=[group])["TargetGroups"][0]["LoadBalancerArns"]
    bench.elb.delete_load_balancer(LoadBalancerArn=owner)
    after = describe(TargetGroupArns=[group])["TargetGroups"][0].get("LoadBalancerArns", [])
    return [len(before), len(after)]


@probe(aws_answers="SSLPolicyNotFound")
def unknown_security_policies_are_not_described(bench: Bench) -> Answer:
    return bench.outcome(bench.elb.describe_ssl_policies, Names=["unknown"])


@probe(aws_answers="ValidationError")
def passthrough_takes_no_trust_store(bench: Bench) -> Answer:
    return bench.outcome(
        bench.listener,
        owner=bench.load_balancer_arn(),
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": bench.certificates[0]}],
        MutualAuthentication={"Mode": "passthrough", "TrustStoreArn": "arn"},
    )

"""The life of a group of Ingresses as far as AWS sees it, with every call that Ingresses give cause for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lbcontroller.model.actions import AuthenticateCognitoAction
from lbcontroller.model.enums import OnOff
from lbcontroller.model.ids import Arn
from lbcontroller.model.inventory import Lookups
from lbcontroller.model.observed import ObservedRequestedCertificate
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import Certificate, MutualAuthentication, MutualAuthenticationMode, Stack
from lbcontroller.plan.order import deletion_order
from lbcontroller.plan.steps import Change, Create, Delete, Reorder, Update
from tests.support.alb_stacks import (
    CERTIFICATE,
    GROUP,
    LOAD_BALANCER,
    TLS_SECRET,
    AlbGroup,
    a_session,
    forward,
    listener_id,
    on,
    rule_id,
)
from tests.support.aws_access import AwsUnderTest
from tests.support.certificate_requests import AUTHORITY, a_request
from tests.support.key_pairs import a_key_pair

PORT = 8443
TRUST_STORE = "clients"
_COGNITO = AuthenticateCognitoAction(
    user_pool_arn="arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_pool",
    client_id="shop",
    user_pool_domain="login",
    session=a_session(),
)


@dataclass(frozen=True, kw_only=True)
class AlbLife:
    """One life in an account; a client that no policy holds makes what is not ours."""

    account: AwsUnderTest

    def live(self) -> None:
        """Make a group, change everything about it, and delete it."""
        self._prepare()
        group = self._group()
        self._make(group)
        self._change(group)
        self._look_around(group)
        self._ask_for_certificates()
        self._delete(group)

    def _prepare(self) -> None:
        self._other("shield").create_subscription()
        self._other("elbv2").create_trust_store(
            Name=TRUST_STORE, CaCertificatesBundleS3Bucket="b", CaCertificatesBundleS3Key="k"
        )
        pair = a_key_pair(*(f"h{number}.example.com" for number in range(101)))
        self._other("acm").import_certificate(Certificate=pair.certificate, PrivateKey=pair.key)

    def _other(self, service: str) -> Any:
        return self.account.aws.client(service)

    def _group(self) -> AlbGroup:
        waf = self._other("waf-regional")
        classic = waf.create_web_acl(
            Name="old", MetricName="old", DefaultAction={"Type": "ALLOW"}, ChangeToken="token"
        )["WebACL"]["WebACLId"]
        return AlbGroup(
            cluster=self.account.cluster,
            port=PORT,
            secret=a_key_pair("www.example.com"),
            rules=(on("a.example.com", actions=(_COGNITO, forward("web"))), on("b.example.com")),
            mutual_authentication=MutualAuthentication(mode=MutualAuthenticationMode.OFF),
            load_balancer={
                "web_acl": self.account.world.ids["waf.site"],
                "web_acl_classic": classic,
                "shield_protection": True,
                "ipam_pool": "ipam-pool-1",
            },
            frontend=True,
        )

    def _stack(self, group: AlbGroup) -> Stack:
        if group.secret is not None:
            self.account.secrets[TLS_SECRET] = group.secret
        return self.account.here(group.stack())

    def _make(self, group: AlbGroup) -> None:
        stack = self._stack(group)
        self.account.make(stack)
        assert self.account.differences(stack) == {}
        # As after a crash: whoever imports next looks for what nobody knows of.
        [certificate] = [item for item in stack.resources if isinstance(item, Certificate)]
        self.account.restart()
        self.account.execute([Create(resource=certificate, reason="asked for")], {})
        self.account.loader.load()

    def _change(self, group: AlbGroup) -> None:
        store = self._other("elbv2").describe_trust_stores(Names=[TRUST_STORE])["TrustStores"][0]
        verify = MutualAuthentication(
            mode=MutualAuthenticationMode.VERIFY,
            trust_store=Arn(store["TrustStoreArn"]),
            ignore_expiry=False,
            advertise_ca_names=OnOff.OFF,
        )
        nothing = {"web_acl": "", "web_acl_classic": "", "shield_protection": False, "ipam_pool": ""}
        changed = self._stack(
            replace(
                group,
                secret=a_key_pair("www.example.com", "api.example.com"),
                tags={"team": "blue"},
                mutual_authentication=verify,
                load_balancer=nothing,
            )
        )
        account = self.account
        account.change(changed, LOAD_BALANCER, *nothing)
        account.change(changed, listener_id(PORT), "mutual_authentication")
        account.change(changed, rule_id(PORT, 1), "actions", "tags.team")
        account.change(changed, CERTIFICATE, "fingerprint", "tags.team")
        plain = self._stack(group)
        account.change(plain, rule_id(PORT, 1), "tags.team")
        account.change(plain, CERTIFICATE, "tags.team")
        self._swap(plain)

    def _swap(self, stack: Stack) -> None:
        arns = self.account.arns(stack)
        first, second = arns[rule_id(PORT, 1)], arns[rule_id(PORT, 2)]
        step = Reorder(
            id=listener_id(PORT),
            arn=arns[listener_id(PORT)],
            priorities={first: 2, second: 1},
            reason="order",
        )
        self.account.applier.execute(step, arns)

    def _look_around(self, group: AlbGroup) -> None:
        source = self.account.inventory()
        source.load()
        names = Lookups(
            trust_stores=frozenset({TRUST_STORE}),
            web_acls=frozenset({"site"}),
            certificates=True,
            hosted_zones=True,
        )
        source.look_up(names)
        self.account.observer.read_certificates(self._stack(group).id)

    def _ask_for_certificates(self) -> None:
        """Ask for one of Amazon and one of a private authority, validate and tag the first, delete both."""
        self._other("route53").create_hosted_zone(Name="example.com", CallerReference="life")
        account, cluster = self.account, self.account.cluster
        public, private = a_request(cluster=cluster), a_request(authority=AUTHORITY, cluster=cluster)
        arns = account.execute([Create(resource=one, reason="asked for") for one in (public, private)], {})
        account.observer.refresh_requests(GROUP)
        account.observer.refresh_requests(GROUP)
        arn = arns[public.id]
        seen = account.mirror.find(arn)
        assert isinstance(seen, ObservedRequestedCertificate)
        for changed, field in (
            (replace(public, records=seen.validation), "records"),
            (a_request(cluster=cluster, tags={"team": "red"}), "tags.team"),
            (public, "tags.team"),
        ):
            value = None if changed is public else "red"
            change = Change(field=field, before=None, after=value)
            account.applier.execute(
                Update(resource=changed, arn=arn, changes=(change,), reason="asked for"), arns
            )
        for id_, each in arns.items():
            account.applier.execute(Delete(id=id_, arn=each, reason="gone"), arns)

    def _delete(self, group: AlbGroup) -> None:
        stack = self._stack(group)
        observed = self.account.observer.observe(stack.id)
        arns = self.account.arns(stack)
        with_load_balancer = (Kind.LISTENER,)
        for item in deletion_order(observed):
            step = Delete(id=item.resource.id, arn=item.arn, reason="gone")
            if item.resource.id.kind not in with_load_balancer or item.resource.id == listener_id(PORT):
                self.account.applier.execute(step, arns)
        assert self.account.observer.observe(stack.id) == ()

"""What moto does at length and nobody looks at: left out, or done once.

Without it a new account takes half a second, most of which is spent on images and on keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from moto import settings
from moto.acm.models import CertBundle
from moto.core import responses
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix
from moto.moto_api._internal import mock_random
from moto.moto_server import werkzeug_app

from lbcontroller.local.aws.strict.patching import Method, wrap


@cache
def install() -> None:
    """Put the economies in place for the whole process, once."""
    settings.ec2_load_default_amis = _no_images
    server: Any = werkzeug_app
    server.DISABLE_GLOBAL_CORS = True  # no browser calls us
    wrap(CertBundle, "generate_cert", _issued_again)
    wrap(CertBundle, "validate_pk", _read_once)
    wrap(TaggedEC2Resource, "get_tags", _its_own)
    module: Any = responses
    module.method_names_from_class = cache(module.method_names_from_class)  # asked for with each request


def _no_images() -> bool:
    """Whether an account has Amazon's images: a hundred in each region, with a volume and a snapshot each."""
    return False


def _its_own(_original: Method) -> Method:
    """The tags of one resource; moto looks at those of all resources, for each one that it lists."""

    def get_tags(resource: Any) -> list[dict[str, str]]:
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource.id), "") if resource.id else ""
        tags = resource.ec2_backend.tags.get(resource.id, {})
        return [
            {"resource_id": resource.id, "key": key, "value": value, "resource_type": kind}
            for key, value in tuple(tags.items())
        ]

    return get_tags


def _issued_again(original: Method) -> Method:
    """Certificates for the same names share one key, because finding the primes of a new one takes long."""

    @cache
    def issue(
        domain_name: str, account_id: str, region: str, sans: tuple[str, ...] | None, authority: str | None
    ) -> Any:
        before = mock_random.getstate()
        try:
            return original(domain_name, account_id, region, sans, authority)
        finally:
            mock_random.setstate(before)  # the first certificate is to take no id more than the next

    def generate_cert(
        domain_name: str,
        account_id: str,
        region: str,
        sans: Sequence[str] | None = None,
        cert_authority_arn: str | None = None,
    ) -> CertBundle:
        names = None if sans is None else tuple(sans)
        like = issue(domain_name, account_id, region, names, cert_authority_arn)
        return CertBundle(
            account_id,
            like.cert,
            like.key,
            region=region,
            cert_type=like.type,
            cert_status=like.status,
            cert_authority_arn=cert_authority_arn,
        )

    return generate_cert


def _read_once(original: Method) -> Method:
    """Reading a key includes a test of its primes."""
    keys: dict[bytes, Any] = {}

    def validate_pk(bundle: CertBundle) -> Any:
        if bundle.key not in keys:
            keys[bundle.key] = original(bundle)
        return keys[bundle.key]

    return validate_pk

from __future__ import annotations

import pytest

from lbcontroller.model.dns import HostedZone, zone_of

ZONES = tuple(
    HostedZone(name=name, id=id_)
    for name, id_ in (("example.com", "Z1"), ("shop.example.com", "Z2"), ("example.com", "Z3"))
)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("example.com", "Z3"),
        ("www.example.com", "Z3"),
        ("shop.example.com", "Z2"),
        ("*.shop.example.com", "Z2"),
        ("_token.WWW.shop.example.com.", "Z2"),
        ("workshop.example.com", "Z3"),
        ("badexample.com", None),
        ("com", None),
    ],
)
def test_a_name_belongs_into_the_zone_with_most_of_its_labels(name: str, zone: str | None) -> None:
    found = zone_of(name, ZONES)
    assert (found.id if found else None) == zone
    assert zone_of(name, reversed(ZONES)) == found

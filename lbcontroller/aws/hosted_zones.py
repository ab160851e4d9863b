"""Public hosted zones of Route 53, and the records in them by which ACM validates domains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.operations import CHANGE_RECORDS, LIST_HOSTED_ZONES, LIST_RECORDS
from lbcontroller.errors import InvalidConfig, NotReady
from lbcontroller.model.dns import HostedZone, ValidationRecord, plain_name, zone_of

RECORD_SECONDS: Final = 60
"""Time to live of a record, as LBC gives it."""
NO_ZONE_SECONDS: Final = 300.0
_CNAME: Final = "CNAME"


def read_hosted_zones(caller: AwsCaller) -> tuple[HostedZone, ...]:
    """Return the public hosted zones of the account.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    return tuple(
        sorted(
            HostedZone(name=plain_name(item["Name"]), id=item["Id"].rpartition("/")[2])
            for page in caller.pages(LIST_HOSTED_ZONES)
            for item in page["HostedZones"]
            if not item.get("Config", {}).get("PrivateZone")
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRecords:
    """Writes and deletes the records of certificates."""

    caller: AwsCaller

    def write(self, records: Iterable[ValidationRecord]) -> None:
        """Write those that are not there.

        Raises:
            NotReady: there is no hosted zone for one of them.
            LbControllerError: as `AwsCaller.call` does.
        """
        zones = read_hosted_zones(self.caller)
        for record in sorted(records):
            zone = zone_of(record.name, zones)
            if zone is None:
                raise NotReady(
                    f"there is no public hosted zone for the record {record.name} any more",
                    retry_after=NO_ZONE_SECONDS,
                )
            if not self._is_there(zone, record):
                self._change("UPSERT", zone, record, RECORD_SECONDS)

    def delete(self, records: Iterable[ValidationRecord]) -> None:
        """Delete those that are there and say what they should; a zone that is gone is fine.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        wanted = sorted(records)
        zones = read_hosted_zones(self.caller) if wanted else ()
        for record in wanted:
            zone = zone_of(record.name, zones)
            if zone is None:
                continue
            seconds = self._seconds(zone, record)
            if seconds is None:
                continue
            try:
                self._change("DELETE", zone, record, seconds)
            except InvalidConfig:
                # Somebody else changed or deleted it in between: then it is not ours any more.
                if self._is_there(zone, record):
                    raise

    def _is_there(self, zone: HostedZone, record: ValidationRecord) -> bool:
        return self._seconds(zone, record) is not None

    def _seconds(self, zone: HostedZone, record: ValidationRecord) -> int | None:
        """Return the time to live of a record; None when there is none that says the same."""
        try:
            answer = self.caller.call(
                LIST_RECORDS,
                HostedZoneId=zone.id,
                StartRecordName=record.name,
                StartRecordType=_CNAME,
                MaxItems="1",
            )
        except NotReady as error:
            if not is_not_found(error):
                raise
            return None
        for found in answer["ResourceRecordSets"]:
            values = [plain_name(value["Value"]) for value in found.get("ResourceRecords", ())]
            if (plain_name(found["Name"]), found["Type"]) == (plain_name(record.name), _CNAME) and values == [
                plain_name(record.value)
            ]:
                return int(found.get("TTL", RECORD_SECONDS))
        return None

    def _change(self, action: str, zone: HostedZone, record: ValidationRecord, seconds: int) -> None:
        change = {
            "Action": action,
            "ResourceRecordSet": {
                "Name": record.name,
                "Type": _CNAME,
                "TTL": seconds,
                "ResourceRecords": [{"Value": record.value}],
            },
        }
        self.caller.call(CHANGE_RECORDS, HostedZoneId=zone.id, ChangeBatch={"Changes": [change]})

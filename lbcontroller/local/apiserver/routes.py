"""Requests for objects: which location and options a path and query mean, and what to answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import yaml
from aiohttp import web

from lbcontroller.local.apiserver import protobuf, writing
from lbcontroller.local.apiserver.api import Api
from lbcontroller.local.apiserver.objects import JsonObject, field_at, metadata
from lbcontroller.local.apiserver.patch import PatchType
from lbcontroller.local.apiserver.presentation import Presenter, form_of
from lbcontroller.local.apiserver.requests import (
    DeleteOptions,
    FieldValidation,
    Location,
    PageQuery,
    Selection,
    WriteOptions,
    Written,
)
from lbcontroller.local.apiserver.resources import ResourceType, Subresource
from lbcontroller.local.apiserver.selectors import parse_fields, parse_labels
from lbcontroller.local.apiserver.status import ApiError, Reason, bad_request, deleted, unknown_path
from lbcontroller.local.apiserver.store import Stored
from lbcontroller.local.apiserver.streams import DEFAULT_TIMEOUT_SECONDS, StreamOptions, Streams
from lbcontroller.local.apiserver.watching import WatchCursor

_YES = frozenset({"1", "true", "True"})
_JSON = "application/json"
_YAML = frozenset({"application/yaml", "application/apply-patch+yaml"})


class Routes:
    """Answers requests for collections and objects."""

    def __init__(self, api: Api, streams: Streams) -> None:
        """Answer from `api`, watches through `streams`."""
        self._api = api
        self._streams = streams

    async def answer(
        self, request: web.Request, version: tuple[str, str], steps: list[str]
    ) -> web.StreamResponse:
        """Answer one request.

        Args:
            request: the request.
            version: group and version.
            steps: the steps of the path behind these.

        Raises:
            ApiError: the request is refused.
        """
        at = self._location(version, steps)
        body = await request.read()
        if at.name:
            return self._object(request, at, body)
        match request.method:
            case "GET" if request.query.get("watch", "") in _YES:
                return await self._watch(request, at)
            case "GET":
                return self._list(request, at)
            case "POST":
                return self._create(request, at, body)
            case "DELETE":
                options = _delete_options(request, body)
                found = self._api.delete_collection(at, _selection(request, at.resource), options)
                return _json({"kind": "Status", "apiVersion": "v1", "status": "Success", "metadata": {},
                              "details": {"kind": at.resource.plural, "group": at.resource.group},
                              "message": f"{len(found)} deleted"})  # fmt: skip
            case _:
                raise _not_allowed()

    def _location(self, version: tuple[str, str], steps: list[str]) -> Location:
        namespace = ""
        match steps:
            case ["namespaces", name, "status"] if version == ("", "v1"):
                steps = ["namespaces", name, "status"]
            case ["namespaces", namespace, plural, *rest]:
                steps = [plural, *rest]
            case _:
                pass
        resource = self._api.registry.find(*version, steps[0])
        match steps[1:]:
            case []:
                name, part = "", Subresource.MAIN
            case [name]:
                part = Subresource.MAIN
            case [name, text] if text in resource.subresources:
                part = Subresource(text)
            case _:
                raise unknown_path()
        if resource.namespaced is not bool(namespace) and (name or namespace):
            raise unknown_path()
        return Location(resource=resource, namespace=namespace, name=name, subresource=part)

    def _object(self, request: web.Request, at: Location, body: bytes) -> web.Response:
        match request.method:
            case "GET":
                return self._shown(request, at, self._api.get(at))
            case "PUT":
                obj = _object_of(_parsed(request, body))
                return self._written(request, at, self._api.update(at, obj, _write_options(request)))
            case "PATCH":
                try:
                    kind = PatchType(request.content_type)
                except ValueError:
                    raise _unsupported(request.content_type) from None
                written = self._api.patch(at, kind, _parsed(request, body), _write_options(request))
                return self._written(request, at, written)
            case "DELETE":
                left = self._api.delete(at, _delete_options(request, body))
                if not left.gone:
                    return self._shown(request, at, left.stored)
                uid = left.stored.object["metadata"]["uid"]
                return _json(deleted(at.resource.qualified, at.name, uid))
            case _:
                raise _not_allowed()

    def _create(self, request: web.Request, at: Location, body: bytes) -> web.Response:
        if at.resource.namespaced and not at.namespace:
            raise _not_allowed()
        obj = _object_of(_parsed(request, body))
        return self._written(request, at, self._api.create(at, obj, _write_options(request)))

    def _list(self, request: web.Request, at: Location) -> web.Response:
        query = PageQuery(limit=_number(request, "limit") or 0, token=request.query.get("continue", ""))
        page = self._api.select(at, _selection(request, at.resource), query)
        return web.Response(body=self._presenter(request, at).encode_page(page), content_type=_JSON)

    async def _watch(self, request: web.Request, at: Location) -> web.StreamResponse:
        version = _number(request, "resourceVersion") or 0
        initial = request.query.get("sendInitialEvents", "") in _YES
        cursor = WatchCursor(
            store=self._api.store,
            at=at,
            selection=_selection(request, at.resource),
            encode=self._presenter(request, at).encode,
            version=version,
        )
        options = StreamOptions(
            bookmarks=request.query.get("allowWatchBookmarks", "") in _YES,
            timeout_seconds=_number(request, "timeoutSeconds") or DEFAULT_TIMEOUT_SECONDS,
            starts_with_objects=initial or version == 0,
            marks_initial_end=initial,
        )
        return await self._streams.serve(request, cursor, options)

    def _written(self, request: web.Request, at: Location, written: Written) -> web.Response:
        response = self._shown(request, at, written.stored)
        response.set_status(201 if written.created else 200)
        for text in written.warnings:
            quoted = text.replace('"', '\\"')
            response.headers.add("Warning", f'299 - "{quoted}"')
        return response

    def _shown(self, request: web.Request, at: Location, stored: Stored) -> web.Response:
        if at.subresource is Subresource.SCALE:
            return _json(writing.scale_of(stored.object))
        return web.Response(body=self._presenter(request, at).encode(stored), content_type=_JSON)

    def _presenter(self, request: web.Request, at: Location) -> Presenter:
        return Presenter(
            resource=at.resource,
            form=form_of(request.headers.get("Accept", "")),
            now=lambda: datetime.now(UTC),
            row_object=request.query.get("includeObject", "Metadata"),
        )


def _selection(request: web.Request, resource: ResourceType) -> Selection:
    return Selection(
        labels=parse_labels(request.query.get("labelSelector", "")),
        fields=parse_fields(request.query.get("fieldSelector", ""), resource.selectable),
    )


def _write_options(request: web.Request) -> WriteOptions:
    validation = request.query.get("fieldValidation") or FieldValidation.WARN.value
    if validation not in {each.value for each in FieldValidation}:
        raise bad_request(f"fieldValidation: unsupported value: {validation}")
    default_manager = request.headers.get("User-Agent", "").partition("/")[0] or "unknown"
    return WriteOptions(
        dry_run=_dry_run(request.query.getall("dryRun", [])),
        manager=request.query.get("fieldManager") or default_manager,
        force=request.query.get("force", "") in _YES,
        validation=FieldValidation(validation),
    )


def _delete_options(request: web.Request, body: bytes) -> DeleteOptions:
    sent = _object_of(_parsed(request, body)) if body.strip() else {}
    grace = sent.get("gracePeriodSeconds", _number(request, "gracePeriodSeconds"))
    return DeleteOptions(
        uid=field_at(sent, ("preconditions", "uid")) or "",
        version=field_at(sent, ("preconditions", "resourceVersion")) or "",
        grace_seconds=grace,
        dry_run=_dry_run([*request.query.getall("dryRun", []), *(sent.get("dryRun") or [])]),
    )


def _dry_run(values: list[str]) -> bool:
    if any(value != "All" for value in values):
        raise bad_request(f'dryRun: unsupported value: {values}; supported values: "All"')
    return bool(values)


def _number(request: web.Request, name: str) -> int | None:
    text = request.query.get(name, "")
    if text and not text.isdigit():
        raise bad_request(f"{name}: not a number: {text}")
    return int(text) if text else None


def _parsed(request: web.Request, body: bytes) -> Any:
    media_type = request.content_type
    if media_type == protobuf.MEDIA_TYPE:
        return protobuf.decode(body)
    if "json" not in media_type and media_type not in _YAML and media_type != "application/octet-stream":
        raise _unsupported(media_type)
    try:
        if media_type in _YAML:
            return yaml.safe_load(body)
        return orjson.loads(body)
    except (orjson.JSONDecodeError, yaml.YAMLError) as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from None


def _object_of(value: Any) -> JsonObject:
    if not isinstance(value, dict):
        raise bad_request("the object provided is unrecognized: it is not an object")
    metadata(value)
    return value


def _unsupported(media_type: str) -> ApiError:
    return ApiError(
        Reason.UNSUPPORTED_MEDIA_TYPE, f"the body of the request was in an unknown format: {media_type}"
    )


def _not_allowed() -> ApiError:
    return ApiError(
        Reason.METHOD_NOT_ALLOWED, "the server does not allow this method on the requested resource"
    )


def _json(value: JsonObject) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type=_JSON)

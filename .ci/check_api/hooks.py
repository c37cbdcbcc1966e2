"""What no schema can say of a request that is in order: made so here before it is sent."""

import json
import os
import uuid

import schemathesis
from schemathesis.generation import GenerationMode

# Chosen anew. Generators write common ones first, such as one character repeated, and those are refused.
CHOSEN = {"password", "new_password"}
# Asked for once more of somebody who is signed in.
KNOWN = {("PUT", "/users/me/email"): {"password"}, ("PUT", "/users/me/password"): {"current_password", "new_password"}}


def place(body):
    """One there is: whoever asks was told something."""
    if isinstance(body.get("up_to"), int):
        body["up_to"] = min(body["up_to"], 1)


def choices(body):
    """Of one type whose letters can be turned off, and hours that are both there and not the same."""
    if isinstance(body.get("items"), list):
        body["items"] = [{"type": "enrolment.created", "mail": item.get("mail")} for item in body["items"][:1]]
    if body.get("quiet_from") is None or body.get("quiet_until") in (None, body["quiet_from"]):
        body.pop("quiet_from", None)
        body.pop("quiet_until", None)


def audience(body):
    """A course there is."""
    if "course_id" in (body.get("audience") or {}):
        body["audience"]["course_id"] = int(os.environ["LYCEUM_COURSE"])


SHAPES = {
    ("POST", "/notifications/read-all"): place,
    ("PUT", "/preferences"): choices,
    ("POST", "/broadcasts"): audience,
}


@schemathesis.serializer("application/x-ndjson")
def one_line(context, value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    # Whoever asks must be there to sign in again: their own account has changed meanwhile, as far as its end goes.
    if (case.method.upper(), case.path) == ("DELETE", "/users/{id}") and names_whoever_asks(case.path_parameters):
        if "If-Match" in (case.headers or {}):
            case.headers["If-Match"] = '"another version"'
        return
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    headers, query = case.headers or {}, case.query or {}
    # A key belongs to one request.
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = str(uuid.uuid4())
    # The version that is there now.
    if "If-Match" in headers:
        headers["If-Match"] = "*"
    # Opaque: only the page before knows it.
    query.pop("cursor", None)
    shape = SHAPES.get((case.method.upper(), case.path))
    if shape and isinstance(case.body, dict):
        shape(case.body)
    # The new one is the old one, so that whoever asks can sign in again.
    choose(case.body, KNOWN.get((case.method.upper(), case.path), set()))


def names_whoever_asks(path_parameters):
    return str((path_parameters or {}).get("id")).lower() == os.environ["LYCEUM_ID"]


def choose(body, known):
    if isinstance(body, list):
        for item in body:
            choose(item, known)
    elif isinstance(body, dict):
        for name, value in body.items():
            if not isinstance(value, str):
                choose(value, known)
            elif name in known:
                body[name] = os.environ["LYCEUM_PASSWORD"]
            elif name in CHOSEN and len(value) >= 8:
                body[name] = uuid.uuid4().hex[: len(value)] + value[32:]

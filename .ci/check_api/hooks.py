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

"""roc-validator on a bundle, without a network: python crate_validator.py CRATE SEVERITY.

The context of RO-Crate that it asks for is that of the package `rocrate`, a later version with the same
terms; every other request fails. Prints the validator's report as JSON.
"""

import io
import json
import sys
import urllib.error
import urllib.request
from email.message import Message
from importlib.resources import files
from typing import Any
from urllib.response import addinfourl

import requests

CONTEXT = "w3id.org/ro/crate/"
DATA = files("rocrate").joinpath("data/ro-crate.jsonld").read_bytes()
TYPE = "application/ld+json"


def opened(request: Any, *_: Any, **__: Any) -> addinfourl:
    url = getattr(request, "full_url", request)
    if CONTEXT not in url:
        raise urllib.error.URLError(f"no network: {url}")
    headers = Message()
    headers["Content-Type"] = TYPE
    return addinfourl(io.BytesIO(DATA), headers, url, 200)


def sent(_: requests.Session, request: requests.PreparedRequest, **__: Any) -> requests.Response:
    if CONTEXT not in str(request.url):
        raise requests.ConnectionError(f"no network: {request.url}")
    response = requests.Response()
    response.status_code, response.url, response.request = 200, str(request.url), request
    response.headers["Content-Type"] = TYPE
    response.raw = io.BytesIO(DATA)
    response._content = DATA
    return response


def main() -> None:
    urllib.request.urlopen = opened
    requests.Session.send = sent  # type: ignore[method-assign, assignment]
    import rdflib.parser
    from rocrate_validator import models, services

    rdflib.parser._urlopen = opened  # type: ignore[assignment]
    result = services.validate(
        services.ValidationSettings(
            rocrate_uri=sys.argv[1],
            profile_identifier="ro-crate-1.2",
            requirement_severity=models.Severity[sys.argv[2]],
            no_cache=True,
        )
    )
    found = [
        {"check": one.check.identifier, "message": one.message, "severity": one.severity.name}
        for one in result.get_issues()
    ]
    json.dump({"passed": result.passed(), "issues": found}, sys.stdout)


if __name__ == "__main__":
    main()

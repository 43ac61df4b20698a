import http.client, json, secrets, time, urllib.request


class AnyStatus(urllib.request.HTTPErrorProcessor):  # neither an exception for an error, nor a redirect followed
    http_response = https_response = lambda self, request, response: response


def validate(url, token):
    """Spends `token`: ("accepted", None), ("refused", reason) or ("unknown", None)."""
    headers = {"Idempotency-Key": secrets.token_hex(16), "Content-Type": "application/json"}  # one key for all tries
    request = urllib.request.Request(f"{url}/validate", json.dumps({"token": token}).encode(), headers)
    opener, end, known = urllib.request.build_opener(AnyStatus), time.monotonic() + 15, True
    for pause in 1, 2, 3, 15:
        try:
            with opener.open(request, timeout=3) as reply:
                text = reply.read(65536)
            body = json.loads(text) if text.startswith(b"{") else {}
            if reply.status == 200 and body.get("isValid") is True:
                return "accepted", None
            if 400 <= reply.status < 500 and reply.status != 429:
                return ("refused", body["reason"]) if known and reply.status != 403 and "reason" in body else ("unknown", None)
            known = known and reply.status == 429  # which did not reach the function; else the token may be spent
            after = reply.headers.get("Retry-After", "")
            pause = int(after) if after.isdecimal() and len(after) < 9 else pause
        except (OSError, ValueError, RecursionError, http.client.HTTPException):
            known = False  # no answer
        if time.monotonic() + pause + 3 > end:
            break
        time.sleep(pause)
    return "unknown", None

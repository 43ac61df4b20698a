import contextlib, http.client, json, secrets, time, urllib.parse


def validate(url, token):
    """Spends `token`: ("accepted", None), ("refused", reason) or ("unknown", None)."""
    headers = {"Idempotency-Key": secrets.token_hex(16), "Content-Type": "application/json"}  # one key for all tries
    api, end, known = urllib.parse.urlsplit(url), time.monotonic() + 15, True
    connect = http.client.HTTPSConnection if api.scheme == "https" else http.client.HTTPConnection
    for pause in 1, 2, 3, 15:
        try:
            with contextlib.closing(connect(api.netloc, timeout=3)) as connection:
                connection.request("POST", f"{api.path}/validate", json.dumps({"token": token}), headers)
                reply = connection.getresponse()
                text = reply.read(65536)
            body = json.loads(text) if text.startswith(b"{") else {}
            if reply.status == 200 and body.get("isValid") is True:
                return "accepted", None
            if 400 <= reply.status < 500 and reply.status != 429:
                return ("refused", body["reason"]) if known and reply.status != 403 and "reason" in body else ("unknown", None)
            known = known and reply.status == 429  # which did not reach the function; else the token may be spent
            pause = max(0, int(reply.headers.get("Retry-After", pause)))
        except (OSError, ValueError, RecursionError, http.client.HTTPException):
            known = False  # no answer
        if time.monotonic() + pause + 3 > end:
            break
        time.sleep(pause)
    return "unknown", None

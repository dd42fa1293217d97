"""One signed request to a DynamoDB endpoint, as bytes and as a call. Standard library only."""

import datetime
import hashlib
import hmac
import http.client
import json

CONTENT_TYPE = "application/x-amz-json-1.0"


def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def headers(env, host, operation, body):
    """Signature Version 4 for a POST to /; env holds AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/{env['AWS_REGION']}/dynamodb/aws4_request"
    target = f"DynamoDB_20120810.{operation}"
    names = "content-type;host;x-amz-date;x-amz-target"
    canonical = f"POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{host}\nx-amz-date:{now}\nx-amz-target:{target}\n\n{names}\n"
    canonical += hashlib.sha256(body).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + env["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    signature = _mac(key, text).hex()
    return {
        "Content-Type": CONTENT_TYPE,
        "Host": host,
        "X-Amz-Date": now,
        "X-Amz-Target": target,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={env['AWS_ACCESS_KEY_ID']}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}",
    }


def to_bytes(env, port, operation, request):
    """The whole request, for a connection that ends after it."""
    body = json.dumps(request).encode()
    lines = [f"{name}: {value}" for name, value in headers(env, f"127.0.0.1:{port}", operation, body).items()]
    head = "\r\n".join(["POST / HTTP/1.1", *lines, "Connection: close", f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


def call(system, operation, request, timeout_s=60):
    """The parsed answer; an error for everything but status 200."""
    body = json.dumps(request).encode()
    connection = http.client.HTTPConnection("127.0.0.1", system.port, timeout=timeout_s)
    try:
        connection.request("POST", "/", body, headers(system.env, f"127.0.0.1:{system.port}", operation, body))
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{operation}: HTTP {answer.status} {text.decode()}")
    return json.loads(text)

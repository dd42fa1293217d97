"""Many puts, fast: one signed request sent over and over on a few connections.

boto3 would take minutes of CPU for what makes a log long enough to be compacted.
"""

import selectors
import socket
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

CONNECTIONS = 4


def signed_request(client, body):
    """The bytes of one PutItem with this JSON body, signed as the boto3 client would; good for some minutes."""
    endpoint = client.meta.endpoint_url
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.PutItem"}
    request = AWSRequest("POST", endpoint + "/", data=body, headers=headers)
    credentials = client._request_signer._credentials  # pylint: disable=protected-access
    SigV4Auth(credentials, "dynamodb", client.meta.region_name).add_auth(request)
    lines = ["POST / HTTP/1.1", f"Host: {urllib.parse.urlsplit(endpoint).netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _answer_size(data):
    """How many bytes a whole answer at the start of data has; 0 while it is not whole."""
    head, end, _ = data.partition(b"\r\n\r\n")
    if not end:
        return 0
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    size = len(head) + len(end) + int(lengths[0])
    return size if len(data) >= size else 0


class _Connection:
    def __init__(self, place, request):
        self.socket = socket.create_connection(place, timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = request
        self.data = b""

    def send(self):
        self.socket.sendall(self.request)

    def receive(self):
        """True when an answer came; an error if it is not a good one."""
        some = self.socket.recv(65536)
        if not some:
            raise ConnectionError("the coordinator closed the connection")
        self.data += some
        size = _answer_size(self.data)
        if size == 0:
            return False
        if not self.data.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"a put of the burst failed: {self.data[:500]}")
        self.data = self.data[size:]
        return True


def burst(client, body, is_enough, ask_every=2000):
    """Repeat a PutItem until is_enough(), which is asked now and then; how many were acknowledged."""
    parts = urllib.parse.urlsplit(client.meta.endpoint_url)
    request = signed_request(client, body)
    connections = [_Connection((parts.hostname, parts.port), request) for _ in range(CONNECTIONS)]
    count = 0
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send()
        while count % ask_every != 0 or count == 0 or not is_enough():
            for key, _ in selector.select(30):
                if key.data.receive():
                    count += 1
                    key.data.send()
                    if count % ask_every == 0:
                        break
    for connection in connections:
        connection.socket.close()
    return count

"""A small HTTP client on one kept connection. One Client per thread."""

import http.client
import json
import time
import urllib.parse


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # case-insensitive, as http.client gives them
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"Response({self.status}, {self.body[:400]!r})"


class Client:
    """A connection that broke raises, and the next request opens a new one: nothing is sent twice."""

    def __init__(self, url, key=None, timeout_s=60):
        self.url = url
        self.key = key
        parts = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)

    def request(self, method, path, body=None, headers=None):
        """Body: bytes, text, or an iterable of bytes (sent chunked)."""
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        sent.update(headers or {})
        if isinstance(body, str):
            body = body.encode()
        try:
            self.connection.request(method, path, body=body, headers=sent)
            answer = self.connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())
        except BaseException:
            self.connection.close()
            raise

    def send_json(self, method, path, value, headers=None):
        """Sends any JSON value: the body of POST, PUT or PATCH."""
        return self.request(method, path, json.dumps(value),
                            {"Content-Type": "application/json", **(headers or {})})

    def get(self, path, **params):
        """Query parameters by name; a trailing underscore is dropped, so `from_` works."""
        given = {name.rstrip("_"): value for name, value in params.items() if value is not None}
        return self.request("GET", f"{path}?{urllib.parse.urlencode(given)}" if given else path)

    def post(self, path, obj, headers=None):
        return self.send_json("POST", path, obj, headers)

    def put(self, path, obj, headers=None):
        return self.send_json("PUT", path, obj, headers)

    def patch(self, path, obj, headers=None):
        return self.send_json("PATCH", path, obj, headers)

    def delete(self, path):
        return self.request("DELETE", path)

    def post_ndjson(self, path, lines, headers=None):
        """Lines: text, bytes or JSON objects, sent as one body."""
        def encode(line):
            if isinstance(line, bytes):
                return line
            return (line if isinstance(line, str) else json.dumps(line)).encode()
        body = b"".join(encode(line).rstrip(b"\n") + b"\n" for line in lines)
        return self.request("POST", path, body,
                            {"Content-Type": "application/x-ndjson", **(headers or {})})

    def wait_until_known(self, deadline_s=10):
        """A key made by another process is known to a running service after a moment."""
        end = time.monotonic() + deadline_s
        while self.get("/v1/definitions").status == 401 and time.monotonic() < end:
            time.sleep(0.005)

    def close(self):
        self.connection.close()

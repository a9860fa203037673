"""A phone that encrypts with PyNaCl (libsodium): posts each line of standard input to the URL, prints what the answer's box holds.

Arguments: URL, secret, user, device. Exit status 3: there is no PyNaCl here."""
import base64
import json
import sys
import urllib.request

try:
    from nacl.secret import SecretBox
except ImportError:
    sys.exit(3)

url, secret, user, device = sys.argv[1:]
box = SecretBox(secret.encode()[:32].ljust(32, b"\0"))
for line in sys.stdin:
    data = base64.b64encode(box.encrypt(line.strip().encode())).decode()
    body = json.dumps({"_type": "encrypted", "data": data}).encode()
    request = urllib.request.Request(url, body, {"X-Limit-U": user, "X-Limit-D": device})
    with urllib.request.urlopen(request, timeout=20) as answer:
        told = json.load(answer)
    assert told["_type"] == "encrypted", told
    print(json.dumps(json.loads(box.decrypt(base64.b64decode(told["data"])))))

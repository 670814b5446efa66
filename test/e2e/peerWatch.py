"""Asks the daemon on this host, ten times a second, whom it believes alive. Ends when its input does.

One line of JSON for each look: {"at": and "end": milliseconds since 1970, "started": seconds since 1970, "alive": [node ids]};
`alive` is null where nobody takes the connection. A look without an answer in time is left out: busy is not down.
"""
import json, sys, threading, time, urllib.request

URL = "http://127.0.0.1:8770/status?no_cache=true"
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
ended = threading.Event()


def listen():
    sys.stdin.read()
    ended.set()


threading.Thread(target=listen, daemon=True).start()
over = False
while not over:
    # The last look begins after the end, so that nothing that was before it is missed.
    over = ended.wait(0.1)
    look = {"at": int(time.time() * 1000), "started": None, "alive": None}
    try:
        with opener.open(URL, timeout=20) as answer:
            told = json.loads(answer.read())
        look["started"] = told["stand_in_details"]["started_at"]
        look["alive"] = sorted(name for name, peer in told["peers"].items() if peer["is_alive"])
    except OSError as error:
        reason = getattr(error, "reason", error)
        if not isinstance(reason, ConnectionError):
            continue
    except ValueError:
        continue
    look["end"] = int(time.time() * 1000)
    print(json.dumps(look), flush=True)
